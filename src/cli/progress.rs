//! Progress for people, on standard error: the classic lines, one a layer when it is done.

use std::io::Write as _;

use crate::digest::{DiffId, Digest};
use crate::http::retry::Notice;

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

/// Something failed that may pass by itself.
pub(super) fn retrying(notice: &Notice) {
    let delay = notice.delay.as_secs_f64();
    let reason = &notice.reason;
    print(&match notice.after {
        Some(bytes) => format!(
            "retrying in {delay:.1} s: {reason} after {}\n",
            mebibytes(bytes)
        ),
        None => format!("retrying in {delay:.1} s: {reason}\n"),
    });
}

fn mebibytes(bytes: u64) -> String {
    let tenths = u128::from(bytes) * 10 / (1 << 20);
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

/// Progress that nobody sees is no reason to stop.
fn print(line: &str) {
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
}
