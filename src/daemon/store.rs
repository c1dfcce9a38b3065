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

impl Store {
    /// Returns whether an image can have a name with the digest of its manifest or index.
    #[must_use]
    pub fn keeps_digests(self) -> bool {
        match self {
            Self::Docker { .. } => false,
            Self::Containerd | Self::Podman => true,
        }
    }
}
