//! Podman runs images whose layers are mounted file system images. Nothing is loaded, and nothing is copied.

mod directory; // hocker image --format erofs-dir
mod equality; // the tree is that of the pulled image
mod nix; // erofs and podmanStore of fetchdocker
mod rootless; // users without privileges
