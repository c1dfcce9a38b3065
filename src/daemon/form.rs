//! In which form a daemon gets an image's layers: as they are, or decompressed.
//!
//! Docker's own image store decompresses every layer, and keeps neither the blobs nor the manifest. It takes longer
//! than who sends, who decompresses anyway to hold each layer against its diff id: in Go, or with `unpigz` where that
//! is installed. So it gets plain layers, unless they would have to travel. The other stores keep the registry's
//! digest, and get the blobs that it is made of.

use super::Store;
use crate::oci::media_type::Compression;

/// How layers are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As they are, in an OCI image layout.
    AsTheyAre,
    /// As they are, but those in zstd, which Docker before 23 cannot read, decompressed.
    WithoutZstd,
    /// All of them decompressed.
    Plain,
}

impl Form {
    /// The form for what keeps images in this way, on this machine (`is_here`) or on another.
    #[must_use]
    pub fn of(kind: Store, is_here: bool) -> Self {
        match kind {
            Store::Containerd | Store::Podman => Self::AsTheyAre,
            Store::Docker { .. } if is_here => Self::Plain,
            Store::Docker { .. } => Self::compressed(kind),
        }
    }

    /// The smallest form that what keeps images in this way can read.
    #[must_use]
    pub fn compressed(kind: Store) -> Self {
        match kind {
            Store::Docker { reads_zstd: false } => Self::WithoutZstd,
            Store::Docker { .. } | Store::Containerd | Store::Podman => Self::AsTheyAre,
        }
    }

    /// Whether a layer in this compression is sent decompressed.
    #[must_use]
    pub fn is_plain(self, compression: Compression) -> bool {
        match self {
            Self::AsTheyAre => false,
            Self::WithoutZstd => compression == Compression::Zstd,
            Self::Plain => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_dockers_own_store_on_this_machine_gets_all_layers_plain() {
        let old = Store::Docker { reads_zstd: false };
        let new = Store::Docker { reads_zstd: true };
        for (kind, is_here, form) in [
            (old, true, Form::Plain),
            (new, true, Form::Plain),
            (old, false, Form::WithoutZstd),
            (new, false, Form::AsTheyAre),
            (Store::Containerd, true, Form::AsTheyAre),
            (Store::Containerd, false, Form::AsTheyAre),
            (Store::Podman, true, Form::AsTheyAre),
            (Store::Podman, false, Form::AsTheyAre),
        ] {
            assert_eq!(Form::of(kind, is_here), form, "{kind:?} {is_here}");
        }
    }

    #[test]
    fn each_form_says_which_layers_are_plain() {
        for (form, plain) in [
            (Form::AsTheyAre, [false, false, false]),
            (Form::WithoutZstd, [false, false, true]),
            (Form::Plain, [true, true, true]),
        ] {
            let compressions = [Compression::None, Compression::Gzip, Compression::Zstd];
            assert_eq!(compressions.map(|of| form.is_plain(of)), plain, "{form:?}");
        }
    }
}
