//! `hocker lock graph`: show the layers that images share, and the bytes that this saves.

use std::path::Path;

use super::super::args::lock::{GraphArgs, GraphFormat};
use super::super::{Error, stdout};
use super::abbreviated::abbreviated;
use super::file::LockFile;
use super::table::table;
use hocker::lock::{Graph, Lock, svg};
use hocker::oci::platform::Platform;
use hocker::printable::Printable;
use hocker::size::Size;

pub(super) fn run(args: &GraphArgs, path: &Path) -> Result<(), Error> {
    let lock = LockFile::read(path)?.lock;
    let platform = args.platform.clone().unwrap_or_else(|| platform(&lock));
    let graph = Graph::of(&lock, &platform);
    match args.format {
        GraphFormat::Table => stdout::lines(&layer_table(&graph)),
        GraphFormat::Svg => stdout::write(svg(&graph).as_bytes()),
    }
}

/// Returns this machine's platform if any image is locked for it, else the first platform in the lock.
fn platform(lock: &Lock) -> Platform {
    let own = Platform::of_this_machine();
    let mut platforms = lock
        .images
        .values()
        .flat_map(|image| image.platforms().keys());
    let first = platforms.clone().min().cloned();
    if platforms.any(|platform| *platform == own) {
        return own;
    }
    first.unwrap_or(own)
}

fn layer_table(graph: &Graph) -> Vec<Printable> {
    let headings = ["LAYER", "SIZE", "SAVES", "IMAGES"];
    let mut rows = vec![headings.map(str::to_owned).to_vec()];
    let shared = graph.shared();
    for shared in &shared {
        let names: Vec<_> = shared.images.iter().map(ToString::to_string).collect();
        rows.push(vec![
            abbreviated(&shared.layer.digest),
            Size(shared.layer.size).to_string(),
            Size(shared.saved()).to_string(),
            names.join(" "),
        ]);
    }
    let mut lines = Vec::new();
    if !shared.is_empty() {
        lines.extend(table(&rows, &[1, 2]));
        lines.push(Printable::default());
    }
    let (total, stored) = (graph.total(), graph.stored());
    lines.push(Printable::new(&format!(
        "{} images for {}: {} of layers, stored as {}; sharing saves {}",
        graph.rows.len(),
        graph.platform,
        Size(total),
        Size(stored),
        Size(total.saturating_sub(stored)),
    )));
    lines
}
