//! The form of the layers that a daemon receives: unchanged, or decompressed.
//!
//! Docker's own image store decompresses every layer, and keeps neither the blobs nor the manifest. It decompresses
//! more slowly than hocker, which decompresses anyway to verify the diff ID: dockerd does it in Go, or with `unpigz` if
//! that is installed. So it gets decompressed layers if the daemon is on this machine. The other stores keep the
//! registry's digest, so they get the blobs.

use super::Store;
use crate::oci::media_type::Compression;

/// The form in which layers are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerForm {
    /// Unchanged, in an OCI image layout.
    Unchanged,
    /// Unchanged, except that layers in zstd are decompressed. Docker before 23 cannot read zstd.
    ZstdDecompressed,
    /// All layers are decompressed.
    Decompressed,
}

impl LayerForm {
    /// Returns the form for an image store, on this machine (`is_here`) or on another.
    #[must_use]
    pub fn of(store: Store, is_here: bool) -> Self {
        match store {
            Store::Containerd | Store::Podman => Self::Unchanged,
            Store::Docker { .. } if is_here => Self::Decompressed,
            Store::Docker { .. } => Self::compressed(store),
        }
    }

    /// Returns the smallest form that an image store can read.
    #[must_use]
    pub fn compressed(store: Store) -> Self {
        match store {
            Store::Docker { reads_zstd: false } => Self::ZstdDecompressed,
            Store::Docker { .. } | Store::Containerd | Store::Podman => Self::Unchanged,
        }
    }

    /// Returns whether a layer with this compression is sent decompressed.
    #[must_use]
    pub fn decompresses(self, compression: Compression) -> bool {
        match self {
            Self::Unchanged => false,
            Self::ZstdDecompressed => compression == Compression::Zstd,
            Self::Decompressed => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_dockers_own_store_on_this_machine_gets_all_layers_decompressed() {
        let old = Store::Docker { reads_zstd: false };
        let new = Store::Docker { reads_zstd: true };
        for (kind, is_here, form) in [
            (old, true, LayerForm::Decompressed),
            (new, true, LayerForm::Decompressed),
            (old, false, LayerForm::ZstdDecompressed),
            (new, false, LayerForm::Unchanged),
            (Store::Containerd, true, LayerForm::Unchanged),
            (Store::Containerd, false, LayerForm::Unchanged),
            (Store::Podman, true, LayerForm::Unchanged),
            (Store::Podman, false, LayerForm::Unchanged),
        ] {
            assert_eq!(LayerForm::of(kind, is_here), form, "{kind:?} {is_here}");
        }
    }

    #[test]
    fn each_form_determines_which_layers_are_decompressed() {
        for (form, plain) in [
            (LayerForm::Unchanged, [false, false, false]),
            (LayerForm::ZstdDecompressed, [false, false, true]),
            (LayerForm::Decompressed, [true, true, true]),
        ] {
            let compressions = [Compression::None, Compression::Gzip, Compression::Zstd];
            assert_eq!(
                compressions.map(|of| form.decompresses(of)),
                plain,
                "{form:?}"
            );
        }
    }
}
