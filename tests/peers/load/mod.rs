//! hocker load and prune with real daemons.

mod changed; // blobs that are changed while they are sent are found out
mod containerd; // containerd itself, by its own API
mod docker; // only what is not there is sent
mod killed; // a load or a daemon that is killed while the daemon fetches
mod lowest_layer; // Docker's own store gets the lowest layer by itself
mod names; // an image that is called by another's id is not that image
mod prune; // what nobody wants any more goes, and nothing else
mod pull; // other image stores fetch what they lack from a registry on loopback
mod whole; // the same stores get whole images, where they cannot
mod wrong; // wrong images leave each daemon as it was

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::hocker::{Run, hocker};
use crate::support::image::{Family, Image, Layer, Packing, noise};

/// The lower layers are as large as this.
const LARGE: usize = 8 << 20;
/// Requests and headers are smaller than this.
const SMALL: u64 = 32 << 10;

/// Two large layers, and whatever comes on them.
fn image(packing: Packing, top: Vec<Layer>) -> Image {
    let noise = noise(2 * LARGE);
    let (one, other) = noise.split_at(LARGE);
    let mut layers = vec![
        Layer::of_files(packing, &[("one", one)]),
        Layer::of_files(packing, &[("other", other)]),
    ];
    layers.extend(top);
    Image::new(Family::Oci, &["/hello"], layers)
}

fn small_layer(text: &str) -> Layer {
    Layer::of_files(Packing::Gzip, &[("small", text.as_bytes())])
}

fn load(host: &str, layout: &Path) -> Run {
    hocker(["load", "--host", host]).arguments([layout])
}

/// What these layers are to Docker's own store.
fn plain(layers: &[Layer]) -> u64 {
    layers.iter().map(|layer| layer.tar.len() as u64).sum()
}

/// Demands that little more than all of an image was sent: once, and nothing else.
#[track_caller]
fn is_about(sent: u64, all: u64) {
    assert!(
        sent > all && sent < all + all / 100 + SMALL,
        "{sent} of {all}"
    );
}

/// What `--state` has in it.
fn records(state: &Path) -> Vec<Value> {
    fs::read_dir(state)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .map(|path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap())
        .collect()
}
