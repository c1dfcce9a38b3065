//! The OCI image layout: `oci-layout`, `index.json` and `blobs/<algorithm>/<hex>`. The module reads and writes
//! directories, and has the names and texts for archives that contain a layout.
//!
//! Source: OCI image specification, `image-layout.md`.

mod name;
mod reader;
mod writer;

use serde_json::json;

pub use self::name::{FULL_NAME, ImageName, REF_NAME};
pub use self::reader::{Error, LayoutReader, NIX_STORE};
pub use self::writer::LayoutWriter;

use crate::oci::descriptor::Descriptor;
use crate::oci::digest::Digest;
use crate::oci::media_type::MediaType;

/// The content of the file `oci-layout`.
pub const OCI_LAYOUT: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

/// Returns the path of a blob, relative to the root of the layout.
#[must_use]
pub fn blob_name(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm(), digest.hex())
}

/// Returns the text of `index.json`. One image has an entry for each of its names.
#[must_use]
pub fn index(entries: &[Descriptor]) -> Vec<u8> {
    json!({
        "schemaVersion": 2,
        "mediaType": MediaType::OCI_INDEX,
        "manifests": entries,
    })
    .to_string()
    .into_bytes()
}
