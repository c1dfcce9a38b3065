//! Images as mounted directories: an overlay of the layers' EROFS images, read-only or with a writable top. Only hocker's
//! own EROFS images are mounted, so the kernel parses no structure that the author of an image chose. The module
//! does not use the network.
//!
//! [`images`] finds or makes the EROFS image of each layer. [`Overlay::prepare`] mounts them where no path leads to, and
//! [`Prepared::attach`] gives the overlay its directory. So an interruption before the last step leaves no mount. The
//! layers have no directories of their own: the overlay holds them, and they are gone with it. [`unmount`] therefore has
//! one mount to remove.
//!
//! Sources: Linux, `Documentation/filesystems/overlayfs.rst`, `fs/erofs/super.c`, `fs/overlayfs/params.c`; fsopen(2),
//! fsconfig(2), fsmount(2), `move_mount(2)`.

mod cache;
mod error;
mod kernel;
mod overlay;
mod table;
mod target;
mod top;

pub use self::cache::{ImageSources, images};
pub use self::error::Error;
pub use self::kernel::Kernel;
pub use self::overlay::{Overlay, Prepared};
pub use self::target::{Target, unmount};
pub use self::top::Top;

/// What the name of each mount of hocker begins with, as `/proc/self/mountinfo` shows it.
const NAME: &str = "hocker:";
