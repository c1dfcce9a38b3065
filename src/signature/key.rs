//! Public keys in PEM.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject as _;

/// The maximum size of a file with a key in bytes. A key of RSA with 8192 bits has about 1500.
pub(super) const MAX_KEY_SIZE: usize = 16 << 10;

/// The label of the only kind of block (RFC 7468, section 13).
const LABEL: &str = "PUBLIC KEY";

/// A public key, as `cosign generate-key-pair` and `openssl pkey -pubout` write it.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    der: Vec<u8>,
}

impl PublicKey {
    /// Parses a text with exactly one block `PUBLIC KEY`. Text around it is ignored (RFC 7468, section 2). Whether the
    /// algorithm of the key is supported is known only when a signature is verified.
    pub fn from_pem(text: &[u8]) -> Result<Self, KeyError> {
        if text.len() > MAX_KEY_SIZE {
            return Err(KeyError::TooLarge);
        }
        let blocks = text
            .split(|byte| *byte == b'\n')
            .filter(|line| line.trim_ascii_start().starts_with(b"-----BEGIN "));
        let blocks: Vec<_> = blocks.map(<[u8]>::trim_ascii).collect();
        let expected = format!("-----BEGIN {LABEL}-----");
        match blocks.as_slice() {
            [block] if *block == expected.as_bytes() => {}
            [block] if block.windows(7).any(|word| word == b"PRIVATE") => {
                return Err(KeyError::Private);
            }
            [] => return Err(KeyError::None),
            [_] => return Err(KeyError::Other),
            _ => return Err(KeyError::Several),
        }
        match SubjectPublicKeyInfoDer::from_pem_slice(text) {
            Ok(der) if !der.is_empty() => Ok(Self { der: der.to_vec() }),
            _ => Err(KeyError::Damaged),
        }
    }

    /// Returns the key in PEM, always in the same form.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let base64 = STANDARD.encode(&self.der);
        let mut pem = format!("-----BEGIN {LABEL}-----\n");
        let mut rest = base64.as_str();
        while !rest.is_empty() {
            let (line, after) = rest.split_at_checked(64).unwrap_or((rest, ""));
            pem.push_str(line);
            pem.push('\n');
            rest = after;
        }
        pem.push_str("-----END ");
        pem.push_str(LABEL);
        pem.push_str("-----\n");
        pem
    }

    /// Returns the key in DER (`SubjectPublicKeyInfo`, RFC 5280).
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Returns the first 16 hexadecimal digits of the SHA-256 digest of the key.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let digest = crate::oci::digest::Digest::of(&self.der);
        digest.hex().chars().take(16).collect()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.fingerprint())
    }
}

/// A text that is not a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The text is too large.
    #[error("the file is larger than {} KiB", MAX_KEY_SIZE >> 10)]
    TooLarge,
    /// The text has no block.
    #[error("the file contains no key in PEM")]
    None,
    /// The text has several blocks.
    #[error("the file contains several keys or certificates")]
    Several,
    /// The block is a private key.
    #[error("the file contains a private key")]
    Private,
    /// The block is something else.
    #[error("the file contains no block `{LABEL}`")]
    Other,
    /// The block is not valid.
    #[error("the key is damaged")]
    Damaged,
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEM: &str = "-----BEGIN PUBLIC KEY-----\n\
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAExRRST79+PsrRBnGAI4cMu6Omz2Jh\n\
        fwlMW+gIutNKVRaMyS4rQKvgngc5p8UbLj55pVHhIoAxi/SRgURZI0J3Xw==\n\
        -----END PUBLIC KEY-----\n";

    #[test]
    fn a_key_is_written_in_the_form_that_cosign_and_openssl_write() {
        let key = PublicKey::from_pem(PEM.as_bytes()).unwrap();
        assert_eq!(key.to_pem(), PEM);
        for other in [
            PEM.replace('\n', "\r\n"),
            format!("a comment\n{PEM}"),
            PEM.trim_end().to_owned(),
        ] {
            assert_eq!(PublicKey::from_pem(other.as_bytes()).unwrap(), key);
        }
    }

    #[test]
    fn a_file_with_anything_else_is_refused_with_its_fault() {
        for (text, error) in [
            (String::new(), KeyError::None),
            ("no key".to_owned(), KeyError::None),
            (format!("{PEM}{PEM}"), KeyError::Several),
            (PEM.replace("PUBLIC", "PRIVATE"), KeyError::Private),
            (
                PEM.replace("PUBLIC", "ENCRYPTED SIGSTORE PRIVATE"),
                KeyError::Private,
            ),
            (PEM.replace("PUBLIC KEY", "CERTIFICATE"), KeyError::Other),
            (PEM.replace("MFkw", "!!!!"), KeyError::Damaged),
            (
                "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n".to_owned(),
                KeyError::Damaged,
            ),
            ("a".repeat(MAX_KEY_SIZE + 1), KeyError::TooLarge),
        ] {
            assert_eq!(PublicKey::from_pem(text.as_bytes()), Err(error), "{text}");
        }
    }
}
