//! Progress for people, on standard error: the classic lines, one a layer when it is done.

use std::io::Write as _;

use crate::digest::{DiffId, Digest};

/// A layer was written as it is.
pub(super) fn wrote(layer: &Digest) {
    let short = layer.short();
    print(&format!("Downloading layer: {short} => wrote {short}\n"));
}

/// A layer was decompressed and written.
pub(super) fn decompressed(layer: &Digest, diff_id: &DiffId) {
    print(&format!(
        "Downloading layer: {} => decompressed => wrote {}\n",
        layer.short(),
        diff_id.digest().short()
    ));
}

/// Progress that nobody sees is no reason to stop.
fn print(line: &str) {
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
}
