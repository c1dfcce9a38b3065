//! Digests as people read them.

use hocker::oci::digest::Digest;

/// Abbreviates a digest to its algorithm and 12 hexadecimal digits.
pub(super) fn abbreviated(digest: &Digest) -> String {
    format!(
        "{}:{}",
        digest.algorithm(),
        digest.hex().chars().take(12).collect::<String>()
    )
}
