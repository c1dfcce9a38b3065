//! Numbers in an archive, and the checksum of a header.
//!
//! Source: POSIX.1-2017 `pax`, "ustar Interchange Format"; GNU tar's manual, "Extensions" (binary numbers); Go,
//! `archive/tar/strconv.go`.

use std::str::FromStr;

/// The field of the checksum.
const CHECKSUM: std::ops::Range<usize> = 148..156;

/// The first byte of a binary number that is not negative.
const BINARY: u8 = 0x80;

/// Reads decimal digits alone, without a sign.
pub(super) fn decimal<N: FromStr>(text: &[u8]) -> Option<N> {
    text.iter().all(u8::is_ascii_digit).then_some(())?;
    str::from_utf8(text).ok()?.parse().ok()
}

/// Reads octal digits between blanks or zero bytes, or GNU's binary form. A field without digits is 0.
pub(super) fn number(field: &[u8]) -> Option<u64> {
    if let Some((first, rest)) = field.split_first()
        && first & BINARY != 0
    {
        // Other first bytes start a negative number, or one that is larger than any that Linux has.
        let high = rest.get(..rest.len().saturating_sub(8))?;
        let is_small = *first == BINARY && high.iter().all(|byte| *byte == 0);
        let low = rest.get(high.len()..)?.iter();
        return is_small.then(|| low.fold(0, |number, byte| number << 8 | u64::from(*byte)));
    }
    let text = str::from_utf8(field).ok()?;
    let is_blank = |character| matches!(character, ' ' | '\0');
    match text.trim_start_matches(is_blank).split(is_blank).next() {
        None | Some("") => Some(0),
        Some(digits) if digits.starts_with('+') => None,
        Some(digits) => u64::from_str_radix(digits, 8).ok(),
    }
}

/// Reads a number that may be negative. GNU's binary form then has all high bits set.
pub(super) fn signed(field: &[u8]) -> Option<i64> {
    if let Some((high, low)) = field.split_last_chunk::<8>()
        && !high.is_empty()
        && high.iter().all(|byte| *byte == 0xff)
    {
        return Some(i64::from_be_bytes(*low)).filter(|number| *number < 0);
    }
    i64::try_from(number(field)?).ok()
}

/// Returns whether the checksum of a header is the sum of its bytes, with blanks in the place of the checksum. Old
/// programs added the bytes as signed numbers.
pub(super) fn has_right_checksum(header: &[u8]) -> bool {
    let Some(expected) = header.get(CHECKSUM).and_then(signed) else {
        return false;
    };
    let bytes = header.iter().enumerate().map(|(at, byte)| match at {
        _ if CHECKSUM.contains(&at) => b' ',
        _ => *byte,
    });
    let (mut unsigned, mut with_sign) = (0, 0);
    for byte in bytes {
        unsigned += i64::from(byte);
        with_sign += i64::from(byte.cast_signed());
    }
    expected == unsigned || expected == with_sign
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_octal_or_binary() {
        for (field, expected) in [
            (&b"0000644\0"[..], Some(0o644)),
            (b"   644 \0", Some(0o644)),
            (b"777777777777", Some(0o777_777_777_777)),
            (b"", Some(0)),
            (b"\0\0\0", Some(0)),
            (b"12 junk", Some(0o12)),
            (b"8", None),
            (b"-1", None),
            (b"+1", None),
            (b"\x80\0\0\x01\x02", Some(0x102)),
            (
                b"\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff",
                Some(u64::MAX),
            ),
            (b"\x80\0\0\x01\0\0\0\0\0\0\0\0", None),
            (b"\x81\0\0", None),
            (b"\xff\xff\xff", None),
        ] {
            assert_eq!(number(field), expected, "{field:?}");
        }
    }

    #[test]
    fn times_before_1970_are_binary() {
        for (bytes, time) in [
            (&b"00000000017\0"[..], Some(15)),
            (&[0xff; 12], Some(-1)),
            (&[&[0xff; 11][..], &[0xfe]].concat(), Some(-2)),
            (&[&[0x80][..], &[0; 10], &[7]].concat(), Some(7)),
            (&[&[0xff; 4][..], &[0; 8]].concat(), None),
            (&[&[0x80, 0, 0, 0][..], &[0xff; 8]].concat(), None),
            (b"junk        ", None),
        ] {
            assert_eq!(signed(bytes), time, "{bytes:?}");
        }
    }

    #[test]
    fn checksums_may_be_of_signed_bytes() {
        for (sum, is_right) in [(8 * 32 + 0xff, true), (8 * 32 - 1, true), (8 * 32, false)] {
            let mut header = [0; 512];
            header[0] = 0xff;
            header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            assert_eq!(has_right_checksum(&header), is_right, "{sum}");
        }
    }
}
