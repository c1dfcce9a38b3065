//! Verification: bytes are counted and hashed as they pass, and the end of the content is only reached if
//! both agree with what was promised. The error comes *instead of* the end.
//!
//! Source: OCI image specification, `descriptor.md`, section "Verification".

use std::io::{self, Write};

use crate::digest::{Digest, Hasher};

/// Holds passing bytes against a digest and, where it is known, an exact size.
pub struct Verifier {
    expected: Digest,
    size: Option<u64>,
    seen: u64,
    hasher: Hasher,
}

impl Verifier {
    /// Expects content with this digest and, if given, exactly this many bytes.
    #[must_use]
    pub fn new(expected: Digest, size: Option<u64>) -> Self {
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
        if let Some(size) = self.size
            && self.seen > size
        {
            return Err(Error::TooLong {
                expected: self.expected,
                size,
            });
        }
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
        if let Some(size) = self.size
            && self.seen != size
        {
            return Err(Error::TooShort {
                expected: self.expected,
                size,
                seen: self.seen,
            });
        }
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
    #[error("the content of {} has another digest: {}", .0.expected, .0.actual)]
    Digest(Box<Mismatch>),
    /// More bytes than promised.
    #[error("the content of {expected} is longer than its {size} bytes")]
    TooLong {
        /// What was promised.
        expected: Digest,
        /// Its size in bytes.
        size: u64,
    },
    /// Fewer bytes than promised.
    #[error("the content of {expected} ends after {seen} of its {size} bytes")]
    TooShort {
        /// What was promised.
        expected: Digest,
        /// Its size in bytes.
        size: u64,
        /// The bytes that came.
        seen: u64,
    },
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
}
