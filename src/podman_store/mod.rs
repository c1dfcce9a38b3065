//! Podman's store of one image: the directory of an *additional image store*, which podman reads and never writes. No
//! layer is copied into it. The layers are EROFS images. After they are mounted, podman runs the image without loading
//! it. The module mounts nothing and starts no podman. The same image always gives the same bytes.
//!
//! | path | content |
//! |---|---|
//! | `overlay-images/images.json` | the image: its ID, names, digests, the topmost layer |
//! | `overlay-images/<image ID>/` | the manifest, the index and the config, byte for byte |
//! | `overlay-layers/layers.json` | the layers: ID, parent, digests, sizes |
//! | `overlay/<layer ID>/diff` | the layer's tree: an empty directory to mount it at, or a link to the mounted tree |
//! | `overlay/<layer ID>/layer.erofs` | a link to the EROFS image; only people and scripts read it |
//! | `overlay/<layer ID>/{link,lower}`, `overlay/l/` | short names, by which podman finds the layers below a layer |
//! | `*.lock` | podman opens them to read, and fails if it would have to create them |
//!
//! Everything in the records is a value that hocker parsed and verified. A hostile image cannot put text of its own
//! there, but for its manifest, index and config, which podman finds under their digests.
//!
//! Sources: containers/storage 1.43 (Podman 4.3) and 1.57 (Podman 5.4): `images.go`, `layers.go`, `store.go`,
//! `drivers/overlay/overlay.go`, `pkg/lockfile`; containers/image 5.23, `storage/storage_dest.go`.

mod error;
mod id;
mod image;
mod records;
mod write;

pub use self::error::Error;
pub use self::id::LayerId;
pub use self::image::{Layer, StoreImage};
pub use self::write::{Diff, LayerFile, write};
