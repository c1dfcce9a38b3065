//! The image stores of daemons.

/// The store in which a daemon keeps its images. It determines what the daemon must receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// Docker's own image store. It never opens a layer whose chain it has.
    Docker {
        /// Whether the daemon can read layers in zstd.
        reads_zstd: bool,
    },
    /// Docker with the image store of containerd, which keeps the blobs and needs all of them.
    Containerd,
    /// Podman.
    Podman,
}
