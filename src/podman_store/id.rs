//! The IDs of layers, and the short names of their directories.

use std::fmt;

use super::error::Error;
use crate::oci::digest::{DiffId, Digest};

/// The number of characters in a short name. Podman's own have as many, so a path with many layers has the length that
/// podman expects. They stand for 130 bits of the layer's ID.
const LINK_LENGTH: usize = 26;
/// RFC 4648, section 6.
const BASE_32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The ID of a layer in podman's storage. It stands for the content of the layer and of all layers below, so podman uses
/// a layer of this store again when it pulls an image that begins with the same layers.
///
/// Source: containers/image, `storage/storage_dest.go`, `commitLayer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LayerId([u8; 32]);

impl LayerId {
    /// Returns the ID of the layer with this diff ID on top of `parent`.
    pub(super) fn of(diff_id: &DiffId, parent: Option<Self>) -> Result<Self, Error> {
        let diff_id = sha256(diff_id.digest())?;
        match parent {
            None => Ok(Self(diff_id)),
            Some(parent) => {
                let chain = format!("{parent}+{}", Self(diff_id));
                Ok(Self(sha256(&Digest::of(chain.as_bytes()))?))
            }
        }
    }

    /// Returns the short name of the layer's directory. Two layers with the same one would have the same 130 bits.
    pub(super) fn link(self) -> String {
        let bit = |index: usize| {
            let byte = self.0.get(index / 8).copied().unwrap_or_default();
            usize::from(byte >> (7 - index % 8) & 1)
        };
        let character = |number: usize| {
            let value = (0..5).fold(0, |value, offset| value << 1 | bit(number * 5 + offset));
            char::from(BASE_32.get(value).copied().unwrap_or_default())
        };
        (0..LINK_LENGTH).map(character).collect()
    }
}

/// Returns the bytes of a digest, which must be SHA-256.
pub(super) fn sha256(digest: &Digest) -> Result<[u8; 32], Error> {
    match digest {
        Digest::Sha256(bytes) => Ok(*bytes),
        Digest::Sha512(_) => Err(Error::Algorithm(Box::new(*digest))),
    }
}

impl fmt::Display for LayerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Digest::Sha256(self.0).hex())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff_id(text: &str) -> DiffId {
        DiffId::new(text.parse().unwrap())
    }

    #[test]
    fn ids_are_those_that_podman_gives_to_layers_that_it_pulls() {
        // Podman 4.3 and 5.4 gave the second ID to the second of two layers that they pulled.
        let lower =
            diff_id("sha256:3a0da4c7a2612d886bb84e6a6da6fbbc5c4baedb10a81f295192b093563f96d5");
        let upper =
            diff_id("sha256:423b98ec293926c871255cbc7a0ebee7b90322a62e49ab6f3ca6c8bb17828a2d");
        let first = LayerId::of(&lower, None).unwrap();
        assert_eq!(first.to_string(), lower.digest().hex());
        assert_eq!(
            LayerId::of(&upper, Some(first)).unwrap().to_string(),
            "96b9c6fb81ca062b062fffc46e1ef9e9a4a04d17c7772baa6ba3e69e737fc85d"
        );
    }

    #[test]
    fn a_short_name_has_the_first_bits_of_the_id() {
        let id = LayerId(std::array::from_fn(|index| u8::try_from(index).unwrap()));
        // `printf '\0\1\2…' | base32`
        assert_eq!(id.link(), "AAAQEAYEAUDAOCAJBIFQYDIOB4");
    }

    #[test]
    fn refuses_a_layer_that_podman_could_not_name() {
        let layer = DiffId::new(Digest::Sha512([7; 64]));
        let error = LayerId::of(&layer, None).unwrap_err();
        assert!(matches!(error, Error::Algorithm(_)), "{error}");
    }
}
