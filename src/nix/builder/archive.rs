//! The job of a derivation that makes an archive of an image.

use std::path::PathBuf;

use serde::Deserialize;

/// An archive to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveJob {
    /// The output path.
    pub out: PathBuf,
    /// The result of `fetchdocker`.
    pub image: PathBuf,
    /// Whether the archive contains decompressed layers.
    pub plain: bool,
}

/// The archive as the derivation's attribute `imageArchive` describes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawArchive {
    image: PathBuf,
    plain: bool,
}

impl ArchiveJob {
    pub(super) fn of(raw: RawArchive, out: PathBuf) -> Self {
        Self {
            out,
            image: raw.image,
            plain: raw.plain,
        }
    }
}
