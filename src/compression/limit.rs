//! The limit for the decompressed size of a layer. A few kilobytes can expand to a full disk (OCI image-spec issue
//! 1246), and an image does not state the decompressed size. So the limit is a default or the user's choice.

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

/// The size in bytes to which every layer may expand.
const ALWAYS: u64 = 1 << 30;
/// The factor by which a larger layer may expand. Layers of real images reach 20, gzip reaches 1032, and zstd far more.
const TIMES: u64 = 200;

/// The number of bytes to which a layer may expand: the greater of 1 GiB and 200 times its compressed size, or a number
/// that the user chose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limit {
    chosen: Option<u64>,
}

impl Limit {
    /// Returns a limit of `bytes` for every layer.
    #[must_use]
    pub fn of_bytes(bytes: u64) -> Self {
        Self {
            chosen: Some(bytes),
        }
    }

    /// Returns the limit in bytes for a layer whose blob has `compressed` bytes.
    #[must_use]
    pub fn for_layer(&self, compressed: u64) -> u64 {
        self.chosen
            .unwrap_or_else(|| compressed.saturating_mul(TIMES).max(ALWAYS))
    }
}

/// Parses a number of bytes. The units `K`, `M`, `G` and `T` (or `KiB` and so on, in any case) are powers of 1024.
impl FromStr for Limit {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let digits = text
            .find(|character: char| !character.is_ascii_digit())
            .unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let shift = match unit.to_ascii_lowercase().as_str() {
            "" => 0,
            "k" | "kib" => 10,
            "m" | "mib" => 20,
            "g" | "gib" => 30,
            "t" | "tib" => 40,
            _ => return Err(ParseError),
        };
        number
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(1 << shift))
            .map(Self::of_bytes)
            .ok_or(ParseError)
    }
}

/// The text is not a number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a size is a number of bytes, like 500M or 4GiB")]
pub struct ParseError;

/// A writer that fails with [`TooLarge`] *before* it passes on a byte beyond the limit.
#[derive(Debug)]
pub struct LimitedWriter<W> {
    output: W,
    limit: u64,
    left: u64,
}

impl<W: Write> LimitedWriter<W> {
    /// Creates a writer that passes at most `limit` bytes to `output`.
    pub fn new(limit: u64, output: W) -> Self {
        Self {
            output,
            limit,
            left: limit,
        }
    }

    /// Returns the inner writer.
    pub fn into_inner(self) -> W {
        self.output
    }
}

impl<W: Write> Write for LimitedWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() as u64 > self.left {
            return Err(io::Error::other(TooLarge { limit: self.limit }));
        }
        let written = self.output.write(bytes)?;
        self.left = self.left.saturating_sub(written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

/// A layer expands beyond its limit. The decoder returns this error inside of an [`io::Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge {
    /// The limit in bytes.
    pub limit: u64,
}

impl TooLarge {
    /// Finds this error inside of an error that a writer returned.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the layer expands to more than {} bytes", self.limit)
    }
}

impl std::error::Error for TooLarge {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compression::Decompressor;
    use crate::compression::fixture::gzip;
    use crate::oci::media_type::Compression;

    #[test]
    fn small_layers_have_a_gibibyte_and_large_ones_a_multiple_of_their_size() {
        let limit = Limit::default();
        assert_eq!(limit.for_layer(0), 1 << 30);
        assert_eq!(limit.for_layer(100 << 20), 200 * (100 << 20));
        assert_eq!(limit.for_layer(u64::MAX), u64::MAX);
        assert_eq!(Limit::of_bytes(7).for_layer(100 << 20), 7);
    }

    #[test]
    fn sizes_are_bytes_or_powers_of_1024() {
        for (text, bytes) in [
            ("0", 0),
            ("1000", 1000),
            ("2K", 2048),
            ("2k", 2048),
            ("3kib", 3072),
            ("500M", 500 << 20),
            ("4GiB", 4 << 30),
            ("1T", 1 << 40),
        ] {
            assert_eq!(text.parse(), Ok(Limit::of_bytes(bytes)), "{text}");
        }
        for text in [
            "",
            "K",
            "iB",
            "1iB",
            "1KB",
            "1 K",
            "-1",
            "+1",
            "1.5G",
            "99999999T",
        ] {
            assert_eq!(text.parse::<Limit>(), Err(ParseError), "{text}");
        }
    }

    #[test]
    fn nothing_beyond_the_limit_is_passed_on() {
        let mut output = LimitedWriter::new(4, Vec::new());
        output.write_all(b"four").unwrap();
        let error = output.write_all(b"!").unwrap_err();
        assert_eq!(TooLarge::of(&error), Some(TooLarge { limit: 4 }));
        assert_eq!(output.into_inner(), b"four");
    }

    #[test]
    fn a_bomb_stops_each_decoder_at_the_limit() {
        let plain = vec![0; 8 << 20];
        for (compression, bomb) in [
            (Compression::Gzip, gzip(&plain)),
            (
                Compression::Zstd,
                zstd::stream::encode_all(&plain[..], 1).unwrap(),
            ),
            (Compression::None, plain),
        ] {
            let limited = LimitedWriter::new(1 << 20, io::sink());
            let mut decompressor = Decompressor::new(compression, limited).unwrap();
            let error = decompressor
                .write_all(&bomb)
                .and_then(|()| decompressor.finish().map(drop))
                .unwrap_err();
            let limit = TooLarge::of(&error).unwrap_or_else(|| panic!("{compression:?}: {error}"));
            assert_eq!(limit.limit, 1 << 20);
        }
    }
}
