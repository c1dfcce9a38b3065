//! Verification: bytes are counted and hashed as they pass, and the end of the content is only reached if
//! both agree with what was promised. The error comes *instead of* the end.
//!
//! Source: OCI image specification, `descriptor.md`, section "Verification".

use std::io::{self, Write};

use crate::class::Class;
use crate::oci::digest::{Digest, Hasher};

/// How many bytes some content has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Exactly this many, as a descriptor says.
    Exact(u64),
    /// Not known, because no descriptor is at hand: more than this many are not taken.
    AtMost(u64),
}

impl Size {
    /// The size, where it is known.
    #[must_use]
    pub fn known(self) -> Option<u64> {
        match self {
            Self::Exact(size) => Some(size),
            Self::AtMost(_) => None,
        }
    }

    /// Holds the number of bytes that there are in all against it, such as the length that a server announces.
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

    /// Holds the number of bytes that have come so far against it.
    fn check_seen(self, expected: Digest, seen: u64) -> Result<(), Error> {
        match self {
            Self::Exact(size) if seen > size => Err(Error::TooLong { expected, size }),
            Self::AtMost(limit) if seen > limit => Err(Error::OverLimit { expected, limit }),
            _ => Ok(()),
        }
    }
}

/// Holds passing bytes against a digest and, where it is known, an exact size.
pub struct Verifier {
    expected: Digest,
    size: Size,
    seen: u64,
    hasher: Hasher,
}

impl Verifier {
    /// Expects content with this digest and, if given, exactly this many bytes. Who gives no size bounds the content
    /// in another way.
    #[must_use]
    pub fn new(expected: Digest, size: Option<u64>) -> Self {
        Self::of_size(expected, size.map_or(Size::AtMost(u64::MAX), Size::Exact))
    }

    /// Expects content with this digest and of this size.
    #[must_use]
    pub fn of_size(expected: Digest, size: Size) -> Self {
        Self {
            hasher: expected.hasher(),
            expected,
            size,
            seen: 0,
        }
    }

    /// Takes the next bytes; fails as soon as there are too many.
    pub fn update(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.seen += bytes.len() as u64;
        self.size.check_seen(self.expected, self.seen)?;
        self.hasher.update(bytes);
        Ok(())
    }

    /// The number of bytes taken so far.
    #[must_use]
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// Accepts the end of the content.
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

    /// Refuses content that has another number of bytes in all, before any of it is taken.
    pub fn expect_end(&self, found: u64) -> Result<(), Error> {
        self.size.check_total(self.expected, found)
    }

    /// Verifies content that is at hand as a whole.
    pub fn check(expected: Digest, size: Option<u64>, bytes: &[u8]) -> Result<(), Error> {
        let mut verifier = Self::new(expected, size);
        verifier.update(bytes)?;
        verifier.finish()
    }
}

/// A writer that hashes what passes, for content that must come out right on the far side of a decoder.
pub struct VerifyingWriter<W> {
    output: W,
    verifier: Verifier,
}

impl<W: Write> VerifyingWriter<W> {
    /// Expects that what is written to `output` has this digest.
    pub fn new(expected: Digest, output: W) -> Self {
        Self {
            output,
            verifier: Verifier::new(expected, None),
        }
    }

    /// Accepts the end, and gives the writer back with the number of bytes that it took.
    pub fn finish(self) -> Result<(W, u64), Error> {
        let written = self.verifier.seen();
        self.verifier.finish()?;
        Ok((self.output, written))
    }
}

impl<W: Write> Write for VerifyingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.output.write(bytes)?;
        if let Some(taken) = bytes.get(..written) {
            self.verifier.update(taken).map_err(io::Error::other)?;
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

/// Content that is not what its digest and size say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes hash to something else.
    #[error("digest mismatch: expected {}, got {}", .0.expected, .0.actual)]
    Digest(Box<Mismatch>),
    /// More bytes than promised.
    #[error("size mismatch for {expected}: expected {size} bytes, got more")]
    TooLong {
        /// What was promised.
        expected: Digest,
        /// Its size in bytes.
        size: u64,
    },
    /// More bytes than are taken where no size was promised.
    #[error(
        "the content of {expected} is longer than {limit} bytes, the limit for content of unknown size"
    )]
    OverLimit {
        /// What was promised.
        expected: Digest,
        /// The limit in bytes.
        limit: u64,
    },
    /// Fewer bytes than promised.
    #[error("size mismatch for {expected}: expected {size} bytes, got {seen}")]
    TooShort {
        /// What was promised.
        expected: Digest,
        /// Its size in bytes.
        size: u64,
        /// The bytes that came.
        seen: u64,
    },
}

impl Error {
    /// [`Class::Unsupported`] for content of unknown size that exceeds the limit, else [`Class::Integrity`].
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::OverLimit { .. } => Class::Unsupported,
            Self::Digest(_) | Self::TooLong { .. } | Self::TooShort { .. } => Class::Integrity,
        }
    }
}

/// A promised digest and the one that came instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// What was promised.
    pub expected: Digest,
    /// What came.
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
