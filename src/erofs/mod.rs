//! EROFS images of layers: a layer's tar archive becomes one read-only file system image, by one pass over the layer.
//! The module does not use the network. The same tar always gives the same bytes, however the layer is compressed.
//!
//! An image has three areas. Block 0 holds the superblock. Contents follow, in the order of the archive. The inodes
//! stand behind them, each with its extended attributes and the last bytes of its content. [`convert`] writes the
//! contents while it reads the layer; the tree of names stays in memory until the end, and no content does.
//!
//! The image is what overlayfs expects of a layer. `.wh.NAME` becomes a character device 0:0. A directory with
//! `.wh..wh..opq` gets `trusted.overlay.opaque`, and `user.overlay.opaque` for mounts of users without privileges.
//! Attributes of overlayfs that the layer itself lists are left out, because they could redirect a name to another
//! layer's file. The kernel reads structures of this module alone: no structure is passed through.
//!
//! [`Rootfs`] writes one image of all layers of an image, by two passes over them: the first one reads names and
//! decides which files remain, the second one writes the contents of these.
//!
//! Only what Linux 5.15 reads is used: no compression, no 48-bit addresses, no chunks.
//!
//! Sources: Linux, `fs/erofs/erofs_fs.h` and `Documentation/filesystems/erofs.rst`; erofs-utils, `fsck/main.c`; Linux,
//! `Documentation/filesystems/overlayfs.rst`; OCI image specification, `layer.md`; containerd, `pkg/archive/tar.go`.

mod attributes;
mod check;
mod contents;
mod convert;
mod error;
mod format;
mod image;
mod layer_file;
mod merge;
mod mount_point;
mod name;
mod place;
mod rootfs;
mod source;
pub(crate) mod tar;
mod tree;
mod unpack;

pub use self::check::{CheckError, check};
pub use self::convert::{Converted, convert};
pub use self::error::{EntryError, Error};
pub use self::layer_file::LayerFile;
pub use self::mount_point::MountPoint;
pub use self::rootfs::{Rootfs, RootfsError, WrittenRootfs};
pub use self::source::Source;
