//! The part of a blob that a request asks for.
//!
//! Source: RFC 9110, section 14 (range requests). The response to a request for several ranges is the whole blob, as
//! section 14.2 allows.

use std::ops::Range;

/// The meaning of a `Range` field for content of a certain size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The whole content: the field is one that a server may ignore.
    Whole,
    /// A range of bytes.
    Bytes(Range<u64>),
    /// The range begins after the end of the content.
    Unsatisfiable,
}

/// Parses a `Range` field.
pub(super) fn parse(field: &str, size: u64) -> Part {
    let Some((first, last)) = field
        .trim()
        .split_once('=')
        .filter(|(unit, _)| unit.eq_ignore_ascii_case("bytes"))
        .and_then(|(_, set)| set.split_once('-'))
    else {
        return Part::Whole;
    };
    let (start, end) = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => (first, last.saturating_add(1)),
        (Some(first), None) if last.trim().is_empty() => (first, size),
        // The last `length` bytes.
        (None, Some(length)) if first.trim().is_empty() => (
            if length == 0 {
                size
            } else {
                size.saturating_sub(length)
            },
            size,
        ),
        _ => return Part::Whole,
    };
    if start < size {
        Part::Bytes(start..end.min(size))
    } else {
        Part::Unsatisfiable
    }
}

/// Parses a decimal number of any length. A number above 2^64 becomes the maximum, which is beyond the end of any blob.
fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_single_ranges_and_ignores_the_rest() {
        for (field, part) in [
            ("bytes=0-0", Part::Bytes(0..1)),
            ("bytes=0-", Part::Bytes(0..10)),
            (" Bytes=3-5 ", Part::Bytes(3..6)),
            ("bytes=3-5", Part::Bytes(3..6)),
            ("bytes=3-99", Part::Bytes(3..10)),
            ("bytes=9-99999999999999999999999", Part::Bytes(9..10)),
            ("bytes=-3", Part::Bytes(7..10)),
            ("bytes=-99", Part::Bytes(0..10)),
            ("bytes=10-", Part::Unsatisfiable),
            ("bytes=10-11", Part::Unsatisfiable),
            ("bytes=99999999999999999999999-", Part::Unsatisfiable),
            ("bytes=-0", Part::Unsatisfiable),
            ("bytes=5-3", Part::Whole),
            ("bytes=0-1,4-5", Part::Whole),
            ("bytes=-", Part::Whole),
            ("bytes=+1-2", Part::Whole),
            ("bytes=a-b", Part::Whole),
            ("lines=1-2", Part::Whole),
            ("", Part::Whole),
        ] {
            assert_eq!(parse(field, 10), part, "{field}");
        }
        assert_eq!(parse("bytes=0-", 0), Part::Unsatisfiable);
    }

    proptest! {
        #[test]
        fn what_is_answered_lies_within_the_content(field in "(bytes=)?[-0-9,]{0,25}", size: u64) {
            if let Part::Bytes(range) = parse(&field, size) {
                prop_assert!(range.start < range.end && range.end <= size);
            }
        }
    }
}
