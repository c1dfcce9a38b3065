//! Image stores: what a daemon keeps its images in.

/// What a daemon keeps images in, which decides what must be sent to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// Docker's own image store. It never opens a layer whose chain it has.
    Docker {
        /// Whether it can read layers that are compressed with zstd.
        reads_zstd: bool,
    },
    /// Docker with containerd's image store, which keeps the blobs and wants all of them.
    Containerd,
    /// Podman.
    Podman,
}
