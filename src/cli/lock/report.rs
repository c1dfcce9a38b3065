//! `hocker lock report`: write an HTML page about the images.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::super::args::lock::ReportArgs;
use super::super::{Error, manifest};
use super::file::LockFile;
use hocker::html::{Page, page};
use hocker::oci::platform::Platform;
use hocker::oci::timestamp::Timestamp;

pub(super) fn run(args: &ReportArgs, path: &Path) -> Result<(), Error> {
    let lock = LockFile::read(path)?.lock;
    let platform = args
        .platform
        .clone()
        .unwrap_or_else(Platform::of_this_machine)
        .normalised();
    let html = page(&Page {
        lock: &lock,
        title: &path.display().to_string(),
        now: args.as_of.as_ref().map_or_else(now, Timestamp::seconds),
        platform: &platform,
    });
    manifest::write(&args.output, html.as_bytes())
}

/// Returns the current time in seconds since 1970.
fn now() -> i64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(now.as_secs()).unwrap_or(i64::MAX)
}
