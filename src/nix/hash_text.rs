//! SHA-256 hashes in the spellings that Nix reads and writes: nix32 (Nix's base 32), SRI, hex and base 64.
//!
//! Sources: Nix manual, "`nix hash`" and `outputHash` of "Advanced Attributes"; W3C Subresource Integrity
//! for `sha256-<base 64>`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::oci::digest::Digest;

/// The number of digits of a SHA-256 hash in hex.
const HEX_LENGTH: usize = 64;
/// The number of digits of a SHA-256 hash in nix32.
const NIX32_LENGTH: usize = 52;
/// The number of characters of a SHA-256 hash in base 64, with padding.
const BASE64_LENGTH: usize = 44;

/// Returns the hash in nix32, without the algorithm.
#[must_use]
pub fn nix32(digest: &Digest) -> String {
    nix_base32::to_nix_base32(digest.as_bytes())
}

/// Returns the digest in the form of Subresource Integrity: `sha256-<base 64>`.
#[must_use]
pub fn sri(digest: &Digest) -> String {
    format!(
        "{}-{}",
        digest.algorithm(),
        STANDARD.encode(digest.as_bytes())
    )
}

/// Parses a SHA-256 hash in any form that Nix accepts for `outputHash`: `sha256-<base 64>`, or hex, nix32 or base 64,
/// with or without `sha256:` before it. The text must denote exactly 32 bytes.
pub fn parse(text: &str) -> Result<Digest, ParseError> {
    let error = |reason| ParseError {
        text: text.chars().take(160).collect(),
        reason,
    };
    for algorithm in ["md5", "sha1", "sha512", "blake3"] {
        if let Some(rest) = text.strip_prefix(algorithm)
            && rest.starts_with([':', '-'])
        {
            return Err(error(Reason::Algorithm(algorithm)));
        }
    }
    let bytes = if let Some(base64) = text.strip_prefix("sha256-") {
        decode_base64(base64)
    } else {
        let bare = text.strip_prefix("sha256:").unwrap_or(text);
        match bare.len() {
            HEX_LENGTH => decode_hex(bare),
            NIX32_LENGTH => decode_nix32(bare),
            BASE64_LENGTH => decode_base64(bare),
            _ => return Err(error(Reason::Length)),
        }
    };
    bytes
        .map(Digest::Sha256)
        .ok_or_else(|| error(Reason::Digits))
}

/// Nix accepts capital letters in hex, but digests do not have them.
fn decode_hex(text: &str) -> Option<[u8; 32]> {
    let text = text.to_ascii_lowercase();
    match format!("sha256:{text}").parse() {
        Ok(Digest::Sha256(bytes)) => Some(bytes),
        _ => None,
    }
}

fn decode_nix32(text: &str) -> Option<[u8; 32]> {
    let bytes: [u8; 32] = nix_base32::from_nix_base32(text)?.try_into().ok()?;
    // 52 digits have four bits more than 32 bytes. Only one spelling of a hash is accepted.
    (nix_base32::to_nix_base32(&bytes) == text).then_some(bytes)
}

fn decode_base64(text: &str) -> Option<[u8; 32]> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

/// The text is not a SHA-256 hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a SHA-256 hash: {reason}")]
pub struct ParseError {
    text: String,
    reason: Reason,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Reason {
    #[error("the algorithm is {0}")]
    Algorithm(&'static str),
    #[error(
        "expected {HEX_LENGTH} digits of hex, {NIX32_LENGTH} of nix32 or {BASE64_LENGTH} of base 64"
    )]
    Length,
    #[error("the digits do not denote 32 bytes")]
    Digits,
}

#[cfg(test)]
mod tests {
    // `tests/vectors` has the texts that are accepted and those that are refused.
    use super::*;
    use crate::oci::digest::Hasher;
    use proptest::prelude::*;

    #[test]
    fn hex_and_nix32_are_the_pairs_that_the_classic_tools_printed() {
        for (hex, expected) in [
            (
                "cd0a524342efac6edff500c17e625735bbe479c926439b263bbe3c8518a0849c",
                "1744l0c8ag5y7ck9nhr6r5wy9frmaxi7xh80ypgnxb7g891m42nd",
            ),
            (
                "054abe38b1e6f863befa4258cbfaf127b1cc9440d2e2e349b15d22e676b591e7",
                "1rwinmvfc8jxn54y7qnj82acrc97y7xcnn22zaz67y76n4wbwjh5",
            ),
        ] {
            let digest = Digest::parse_lenient(hex).unwrap();
            assert_eq!(nix32(&digest), expected);
            assert_eq!(parse(expected).unwrap(), digest);
        }
    }

    #[test]
    fn the_hashes_of_nothing_have_the_known_sri() {
        assert_eq!(
            sri(&Digest::of(b"")),
            "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
        );
        assert_eq!(
            sri(&Hasher::sha512().finish()),
            "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="
        );
    }

    #[test]
    fn names_the_algorithm_that_is_not_supported() {
        let error = parse(&format!("sha512:{}", "0".repeat(128))).unwrap_err();
        assert!(error.to_string().ends_with("the algorithm is sha512"));
    }

    proptest! {
        #[test]
        fn every_spelling_reads_back_as_the_same_bytes(bytes: [u8; 32]) {
            let digest = Digest::Sha256(bytes);
            let base64 = STANDARD.encode(bytes);
            for text in [
                nix32(&digest),
                sri(&digest),
                digest.hex(),
                digest.hex().to_uppercase(),
                digest.to_string(),
                format!("sha256:{}", nix32(&digest)),
                format!("sha256:{base64}"),
                base64,
            ] {
                prop_assert_eq!(parse(&text), Ok(digest));
            }
        }

        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in "(sha256[:-])?[0-9a-z+/=é]{0,70}") {
            let _ = parse(&text);
        }

        #[test]
        fn a_hash_has_one_spelling_in_nix32(text in "[0-9a-df-np-sv-z]{52}") {
            if let Ok(digest) = parse(&text) {
                prop_assert_eq!(nix32(&digest), text);
            }
        }
    }
}
