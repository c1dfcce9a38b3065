//! Digests as bytes. A digest becomes part of URLs, file names and store paths. Therefore its text is parsed once and
//! strictly (CVE-2024-3727), and always printed from the bytes.
//!
//! Source: OCI image specification, `descriptor.md`, section "Digests".

use std::fmt;
use std::io::{self, BufRead as _, BufReader, Read};
use std::str::FromStr;

use serde::{Deserialize, Serialize, de};
use sha2::{Digest as _, Sha256, Sha512};

use crate::safe_url;

/// The content address of a blob, manifest or index: `sha256:<hex>` or `sha512:<hex>`.
///
/// ```
/// use hocker::oci::Digest;
///
/// let digest = Digest::of(b"hello");
/// let text = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
/// assert_eq!(digest.to_string(), text);
/// assert_eq!(text.parse::<Digest>(), Ok(digest));
/// assert!("sha256:2CF2".parse::<Digest>().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Digest {
    /// SHA-256, which every registry uses.
    Sha256([u8; 32]),
    /// SHA-512, the other algorithm that the OCI specification registers.
    Sha512([u8; 64]),
}

impl Digest {
    /// Returns the SHA-256 digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut hasher = Hasher::sha256();
        hasher.update(bytes);
        hasher.finish()
    }

    /// Returns the registered name of the algorithm.
    #[must_use]
    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::Sha256(_) => "sha256",
            Self::Sha512(_) => "sha512",
        }
    }

    /// Returns the hash value: 32 bytes for SHA-256, 64 bytes for SHA-512.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Sha256(bytes) => bytes,
            Self::Sha512(bytes) => bytes,
        }
    }

    /// Returns the hash value in lowercase hex, without the algorithm: the name of a blob's file in an OCI layout.
    #[must_use]
    pub fn hex(&self) -> String {
        use fmt::Write as _;
        self.as_bytes().iter().fold(String::new(), |mut hex, byte| {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }

    /// Returns the first seven hex digits, which identify a layer in progress lines.
    #[must_use]
    pub fn short(&self) -> String {
        self.hex().chars().take(7).collect()
    }

    /// Parses `sha256:<hex>`, or bare hex digits, which the classic option `--layer` accepted.
    pub fn parse_lenient(text: &str) -> Result<Self, ParseError> {
        if text.contains(':') {
            text.parse()
        } else {
            format!("sha256:{text}")
                .parse()
                .map_err(|error: ParseError| ParseError {
                    text: text.to_owned(),
                    ..error
                })
        }
    }

    /// Returns a hasher for the algorithm of this digest.
    #[must_use]
    pub fn hasher(&self) -> Hasher {
        match self {
            Self::Sha256(_) => Hasher::sha256(),
            Self::Sha512(_) => Hasher::sha512(),
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm(), self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = |reason| ParseError {
            text: safe_url::shown(text).chars().take(160).collect(),
            reason,
        };
        let (algorithm, hex) = text
            .split_once(':')
            .ok_or_else(|| error(Reason::NoAlgorithm))?;
        match algorithm {
            "sha256" => decode_hex(hex).map(Self::Sha256).map_err(error),
            "sha512" => decode_hex(hex).map(Self::Sha512).map_err(error),
            _ => Err(error(Reason::UnknownAlgorithm)),
        }
    }
}

/// Decodes exactly `N` bytes of lowercase hex.
fn decode_hex<const N: usize>(hex: &str) -> Result<[u8; N], Reason> {
    fn nibble(character: u8) -> Result<u8, Reason> {
        match character {
            b'0'..=b'9' => Ok(character - b'0'),
            b'a'..=b'f' => Ok(character - b'a' + 10),
            _ => Err(Reason::NotHex),
        }
    }
    let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return Err(Reason::Length { expected: 2 * N });
    }
    let mut bytes = [0; N];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = nibble(*high)? << 4 | nibble(*low)?;
    }
    Ok(bytes)
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

/// The digest of a layer's *decompressed* tar, listed in the config's `rootfs.diff_ids`. It is a separate type because
/// it differs from the digest of the layer's blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DiffId(Digest);

impl DiffId {
    /// Wraps the digest of a decompressed layer.
    #[must_use]
    pub fn new(digest: Digest) -> Self {
        Self(digest)
    }

    /// Returns the digest of the decompressed layer.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.0
    }
}

impl fmt::Display for DiffId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Computes the digest of bytes that arrive in pieces.
#[derive(Clone)]
pub struct Hasher(State);

#[derive(Clone)]
enum State {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hasher {
    /// Creates a SHA-256 hasher.
    #[must_use]
    pub fn sha256() -> Self {
        Self(State::Sha256(Sha256::new()))
    }

    /// Creates a SHA-512 hasher.
    #[must_use]
    pub fn sha512() -> Self {
        Self(State::Sha512(Sha512::new()))
    }

    /// Adds the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Sha256(state) => state.update(bytes),
            State::Sha512(state) => state.update(bytes),
        }
    }

    /// Adds all bytes of a reader, and returns the digest.
    pub fn read(mut self, reader: impl Read) -> io::Result<Digest> {
        let mut reader = BufReader::with_capacity(1 << 20, reader);
        loop {
            let bytes = match reader.fill_buf() {
                Ok([]) => return Ok(self.finish()),
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            self.update(bytes);
            let taken = bytes.len();
            reader.consume(taken);
        }
    }

    /// Returns the digest of all bytes.
    #[must_use]
    pub fn finish(self) -> Digest {
        match self.0 {
            State::Sha256(state) => Digest::Sha256(state.finalize().into()),
            State::Sha512(state) => Digest::Sha512(state.finalize().into()),
        }
    }
}

/// A text that is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a digest: {reason}")]
pub struct ParseError {
    text: String,
    reason: Reason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Reason {
    #[error("a digest starts with `sha256:` or `sha512:`")]
    NoAlgorithm,
    #[error("hocker supports only sha256 and sha512")]
    UnknownAlgorithm,
    #[error("a digest of this algorithm has {expected} hex digits")]
    Length { expected: usize },
    #[error("a digest has only the hex digits 0-9 and a-f")]
    NotHex,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Source: FIPS 180-4, examples of NIST's Cryptographic Standards and Guidelines.
    #[test]
    fn digests_are_the_ones_that_the_standard_names() {
        let two_blocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        for (text, mut hasher, digest) in [
            (
                "",
                Hasher::sha256(),
                "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            ),
            (
                "abc",
                Hasher::sha256(),
                "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
            (
                two_blocks,
                Hasher::sha256(),
                "sha256:248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
            ),
            (
                "abc",
                Hasher::sha512(),
                "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
                 2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            ),
        ] {
            for byte in text.as_bytes() {
                hasher.update(std::slice::from_ref(byte));
            }
            assert_eq!(hasher.finish().to_string(), digest, "{text}");
        }
    }

    #[test]
    fn what_is_read_is_what_was_taken_and_the_rest() {
        let bytes: Vec<u8> = (0..3 << 20)
            .map(|number: u32| number.to_le_bytes()[0])
            .collect();
        let mut hasher = Hasher::sha256();
        hasher.update(&bytes[..1000]);
        assert_eq!(hasher.read(&bytes[1000..]).unwrap(), Digest::of(&bytes));
    }

    #[test]
    fn refuses_what_could_become_a_path_or_another_digest() {
        let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        for text in [
            String::new(),
            hex.to_owned(),
            "sha256:".to_owned(),
            "sha256:../../etc/passwd".to_owned(),
            format!("sha256:{}", hex.to_uppercase()),
            format!("SHA256:{hex}"),
            format!("sha256:{hex}0"),
            format!("sha256: {}", &hex[1..]),
            format!("sha256:{hex}\n"),
            format!("md5:{}", &hex[..32]),
            format!("sha512:{hex}"),
            format!("sha256:é{}", &hex[2..]),
        ] {
            assert!(text.parse::<Digest>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn takes_bare_hex_where_the_classic_command_did() {
        let hex = "ca4f61b1923c10e9eb81228bd46bee1dfba02b9c7dac1844527a734752688ede";
        let digest = Digest::parse_lenient(hex).unwrap();
        assert_eq!(
            digest,
            Digest::parse_lenient(&format!("sha256:{hex}")).unwrap()
        );
        assert_eq!(digest.short(), "ca4f61b");
    }

    proptest! {
        #[test]
        fn what_is_printed_parses_to_the_same_bytes(bytes: [u8; 32]) {
            let digest = Digest::Sha256(bytes);
            prop_assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
        }

        #[test]
        fn any_text_is_parsed_or_refused_without_a_panic(text in ".{0,100}") {
            let _ = text.parse::<Digest>();
            let _ = Digest::parse_lenient(&text);
        }
    }
}
