//! The part of a blob that a request asks for.
//!
//! Source: RFC 9110, section 14 (range requests).

use std::ops::Range;

/// The maximum number of ranges in a request. containers/storage asks for at most this many.
const MAX_RANGES: usize = 1024;

/// The meaning of a `Range` field for content of a certain size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The whole content: the field is one that a server may ignore.
    Whole,
    /// A range of bytes.
    Bytes(Range<u64>),
    /// Two or more ranges of bytes, in the order of the request. They may overlap.
    Several(Vec<Range<u64>>),
    /// All ranges begin after the end of the content.
    Unsatisfiable,
}

/// Parses a `Range` field.
pub(super) fn parse(field: &str, size: u64) -> Part {
    let Some(set) = field
        .trim()
        .split_once('=')
        .filter(|(unit, _)| unit.eq_ignore_ascii_case("bytes"))
        .map(|(_, set)| set)
    else {
        return Part::Whole;
    };
    // A list may have empty elements (section 5.6.1.2).
    let elements = set.split(',').filter(|element| !element.trim().is_empty());
    let mut ranges = Vec::new();
    let mut count = 0;
    for element in elements {
        count += 1;
        match range(element, size) {
            Some(range) if count <= MAX_RANGES => ranges.push(range),
            _ => return Part::Whole,
        }
    }
    // A response leaves out ranges after the end of the content.
    ranges.retain(|range| !range.is_empty());
    match (count, ranges.as_slice()) {
        (0, _) => Part::Whole,
        (_, []) => Part::Unsatisfiable,
        (_, [range]) => Part::Bytes(range.clone()),
        _ => Part::Several(ranges),
    }
}

/// Parses one range. It is empty if it begins after the end of the content. Returns `None` for invalid text.
fn range(text: &str, size: u64) -> Option<Range<u64>> {
    let (first, last) = text.split_once('-')?;
    let (start, end) = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => (first, last.saturating_add(1)),
        (Some(first), None) if last.trim().is_empty() => (first, size),
        // The last `length` bytes.
        (None, Some(length)) if first.trim().is_empty() => (size.saturating_sub(length), size),
        _ => return None,
    };
    Some(start.min(size)..end.min(size))
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
    fn reads_one_or_several_ranges_and_ignores_the_rest() {
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
            ("bytes=0-1,4-", Part::Several(vec![0..2, 4..10])),
            (
                "bytes=-1, 4-5 ,0-99",
                Part::Several(vec![9..10, 4..6, 0..10]),
            ),
            ("bytes=0-1,0-1", Part::Several(vec![0..2, 0..2])),
            ("bytes=,0-1,, ,4-5,", Part::Several(vec![0..2, 4..6])),
            ("bytes=0-1,10-", Part::Bytes(0..2)),
            ("bytes=10-,0-1,-0", Part::Bytes(0..2)),
            ("bytes=10-,11-12", Part::Unsatisfiable),
            ("bytes=0-1,5-3", Part::Whole),
            ("bytes=0-1,4", Part::Whole),
            ("bytes=0-1 4-5", Part::Whole),
            ("bytes=10-,a", Part::Whole),
            ("bytes=", Part::Whole),
            ("bytes=,", Part::Whole),
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

    #[test]
    fn reads_no_more_ranges_than_the_limit() {
        for (count, is_read) in [(MAX_RANGES, true), (MAX_RANGES + 1, false)] {
            let field = format!("bytes={}", "0-0,".repeat(count));
            let expected = if is_read {
                Part::Several(vec![0..1; count])
            } else {
                Part::Whole
            };
            assert_eq!(parse(&field, 10), expected, "{count}");
        }
    }

    proptest! {
        #[test]
        fn what_is_answered_lies_within_the_content(field in "(bytes=)?[-0-9,]{0,25}", size: u64) {
            let ranges = match parse(&field, size) {
                Part::Bytes(range) => vec![range],
                Part::Several(ranges) => ranges,
                Part::Whole | Part::Unsatisfiable => Vec::new(),
            };
            for range in ranges {
                prop_assert!(range.start < range.end && range.end <= size);
            }
        }
    }
}
