//! Verification: counts and hashes bytes as they pass. Content with another digest or size ends with an error *instead
//! of* its end.
//!
//! Source: OCI image specification, `descriptor.md`, section "Verification".

mod writer;

use std::io::{self, Read};

pub use self::writer::VerifyingWriter;

use crate::class::Class;
use crate::oci::digest::{Digest, Hasher};

/// The expected number of bytes of some content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Exactly this number of bytes, from a descriptor.
    Exact(u64),
    /// An unknown size, because no descriptor is available. More than this number of bytes is an error.
    AtMost(u64),
}

impl Size {
    /// Returns the size in bytes, if it is known.
    #[must_use]
    pub fn known(self) -> Option<u64> {
        match self {
            Self::Exact(size) => Some(size),
            Self::AtMost(_) => None,
        }
    }

    /// Compares the total number of bytes, for example the `Content-Length` of a response, with the expected size.
    pub fn check_total(self, expected: Digest, found: u64) -> Result<(), Error> {
        match self {
            Self::Exact(size) if found < size => Err(Error::TooShort {
                expected,
                size,
                seen: found,
            }),
            _ => self.check_seen(expected, found),
        }
    }

    /// Compares the number of bytes until now with the expected size.
    fn check_seen(self, expected: Digest, seen: u64) -> Result<(), Error> {
        match self {
            Self::Exact(size) if seen > size => Err(Error::TooLong { expected, size }),
            Self::AtMost(limit) if seen > limit => Err(Error::OverLimit { expected, limit }),
            _ => Ok(()),
        }
    }
}

/// Verifies bytes against a digest and a size as they arrive.
pub struct Verifier {
    expected: Digest,
    size: Size,
    seen: u64,
    hasher: Hasher,
}

impl Verifier {
    /// Expects content with this digest and, if `size` is given, exactly this number of bytes. Without a size, the
    /// caller must limit the content.
    #[must_use]
    pub fn new(expected: Digest, size: Option<u64>) -> Self {
        Self::of_size(expected, size.map_or(Size::AtMost(u64::MAX), Size::Exact))
    }

    /// Expects content with this digest and this size.
    #[must_use]
    pub fn of_size(expected: Digest, size: Size) -> Self {
        Self {
            hasher: expected.hasher(),
            expected,
            size,
            seen: 0,
        }
    }

    /// Adds the next bytes.
    ///
    /// # Errors
    ///
    /// [`Error::TooLong`] or [`Error::OverLimit`] as soon as the content has too many bytes.
    pub fn update(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.seen += bytes.len() as u64;
        self.size.check_seen(self.expected, self.seen)?;
        self.hasher.update(bytes);
        Ok(())
    }

    /// Returns the number of bytes until now.
    #[must_use]
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// Verifies the size and the digest at the end of the content.
    pub fn finish(self) -> Result<(), Error> {
        self.expect_end(self.seen)?;
        let actual = self.hasher.finish();
        if actual == self.expected {
            Ok(())
        } else {
            Err(Error::Digest(Box::new(Mismatch {
                expected: self.expected,
                actual,
            })))
        }
    }

    /// Verifies the total number of bytes before the content itself arrives.
    pub fn expect_end(&self, found: u64) -> Result<(), Error> {
        self.size.check_total(self.expected, found)
    }

    /// Verifies content that is completely in memory.
    pub fn check(expected: Digest, size: Option<u64>, bytes: &[u8]) -> Result<(), Error> {
        let mut verifier = Self::new(expected, size);
        verifier.update(bytes)?;
        verifier.finish()
    }
}

/// A reader that verifies the bytes that it passes on. Content that is wrong has an error, which wraps an [`enum@Error`],
/// instead of its end.
pub struct VerifyingReader<R> {
    input: R,
    /// Absent after the end was reached.
    verifier: Option<Verifier>,
}

impl<R: Read> VerifyingReader<R> {
    /// Expects that `input` has this digest and exactly `size` bytes.
    pub fn new(expected: Digest, size: u64, input: R) -> Self {
        Self {
            input,
            verifier: Some(Verifier::new(expected, Some(size))),
        }
    }
}

impl<R: Read> Read for VerifyingReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(mut verifier) = self.verifier.take() else {
            return Ok(0);
        };
        let count = match self.input.read(into) {
            Ok(count) => count,
            Err(error) => {
                // The caller may read again after an interruption.
                self.verifier = Some(verifier);
                return Err(error);
            }
        };
        if count == 0 && !into.is_empty() {
            verifier.finish().map_err(io::Error::other)?;
            return Ok(0);
        }
        let bytes = into.get(..count).unwrap_or_default();
        verifier.update(bytes).map_err(io::Error::other)?;
        self.verifier = Some(verifier);
        Ok(count)
    }
}

/// Content that does not match its digest or size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The content has another digest.
    #[error("digest mismatch: expected {}, got {}", .0.expected, .0.actual)]
    Digest(Box<Mismatch>),
    /// The content has more bytes than its descriptor states.
    #[error("size mismatch for {expected}: expected {size} bytes, got more")]
    TooLong {
        /// The expected digest.
        expected: Digest,
        /// The expected size in bytes.
        size: u64,
    },
    /// Content of unknown size has more bytes than the limit.
    #[error(
        "the content of {expected} is longer than {limit} bytes, the limit for content of unknown size"
    )]
    OverLimit {
        /// The expected digest.
        expected: Digest,
        /// The limit in bytes.
        limit: u64,
    },
    /// The content has fewer bytes than its descriptor states.
    #[error("size mismatch for {expected}: expected {size} bytes, got {seen}")]
    TooShort {
        /// The expected digest.
        expected: Digest,
        /// The expected size in bytes.
        size: u64,
        /// The number of bytes that arrived.
        seen: u64,
    },
}

impl Error {
    /// Returns [`Class::Unsupported`] for content of unknown size that exceeds the limit, else [`Class::Integrity`].
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::OverLimit { .. } => Class::Unsupported,
            Self::Digest(_) | Self::TooLong { .. } | Self::TooShort { .. } => Class::Integrity,
        }
    }
}

/// An expected digest and the digest of the content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The expected digest.
    pub expected: Digest,
    /// The digest of the content.
    pub actual: Digest,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_the_promised_bytes_only() {
        let digest = Digest::of(b"abc");
        assert_eq!(Verifier::check(digest, Some(3), b"abc"), Ok(()));
        assert_eq!(Verifier::check(digest, None, b"abc"), Ok(()));
        for (bytes, size) in [
            (&b"abd"[..], Some(3)),
            (b"ab", Some(3)),
            (b"abcd", Some(3)),
            (b"ab", None),
        ] {
            assert!(Verifier::check(digest, size, bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn a_reader_of_other_bytes_ends_with_an_error() {
        let read = |bytes: &[u8]| {
            let mut reader = VerifyingReader::new(Digest::of(b"abc"), 3, bytes);
            let mut out = Vec::new();
            reader.read_to_end(&mut out).map(|_| out)
        };
        assert_eq!(read(b"abc").unwrap(), b"abc");
        for bytes in [&b"abd"[..], b"ab", b"abcd", b""] {
            let error = read(bytes).unwrap_err();
            assert!(error.get_ref().unwrap().is::<Error>(), "{bytes:?}");
        }
    }

    #[test]
    fn refuses_too_many_bytes_before_the_end() {
        let mut verifier = Verifier::new(Digest::of(b"abc"), Some(3));
        verifier.update(b"abc").unwrap();
        assert!(matches!(
            verifier.update(b"d"),
            Err(Error::TooLong { size: 3, .. })
        ));
    }

    #[test]
    fn content_of_unknown_size_is_bounded_too() {
        let mut verifier = Verifier::of_size(Digest::of(b"abc"), Size::AtMost(3));
        verifier.update(b"abc").unwrap();
        assert!(matches!(
            verifier.update(b"d"),
            Err(Error::OverLimit { limit: 3, .. })
        ));
        let mut verifier = Verifier::of_size(Digest::of(b"abc"), Size::AtMost(4));
        verifier.update(b"abc").unwrap();
        assert_eq!(verifier.finish(), Ok(()));
    }

    #[test]
    fn an_announced_length_is_held_against_the_size() {
        let check = |size: Size, announced| size.check_total(Digest::of(b""), announced);
        for (size, announced, is_right) in [
            (Size::Exact(3), 2, false),
            (Size::Exact(3), 3, true),
            (Size::Exact(3), 4, false),
            (Size::AtMost(3), 0, true),
            (Size::AtMost(3), 3, true),
            (Size::AtMost(3), 4, false),
            (Size::AtMost(3), u64::MAX, false),
        ] {
            assert_eq!(
                check(size, announced).is_ok(),
                is_right,
                "{size:?} {announced}"
            );
        }
    }
}
