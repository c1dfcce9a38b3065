//! The `Content-Range` header of a partial response.
//!
//! Source: RFC 9110, section 14.4.

/// A range: `bytes FIRST-LAST/COMPLETE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentRange {
    /// The first byte's offset.
    pub first: u64,
    /// The last byte's offset.
    pub last: u64,
    /// The length of the complete content in bytes, if the server states it.
    pub complete: Option<u64>,
}

/// Parses the value of the header. Returns `None` for an invalid or contradictory value.
#[must_use]
pub fn parse(text: &str) -> Option<ContentRange> {
    let (unit, rest) = text.trim().split_once(' ')?;
    let (range, complete) = rest.trim().split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let range = ContentRange {
        first: number(first)?,
        last: number(last)?,
        complete: match complete {
            "*" => None,
            length => Some(number(length)?),
        },
    };
    let sound = unit.eq_ignore_ascii_case("bytes")
        && range.first <= range.last
        && range.complete.is_none_or(|complete| range.last < complete);
    sound.then_some(range)
}

/// Parses a number. Only digits are allowed; Rust would also accept a sign.
fn number(text: &str) -> Option<u64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_is_sound_and_nothing_else() {
        let range = |first, last, complete| ContentRange {
            first,
            last,
            complete,
        };
        for (text, expected) in [
            ("bytes 0-9/10", Some(range(0, 9, Some(10)))),
            ("bytes 5-9/*", Some(range(5, 9, None))),
            ("Bytes 5-9/10 ", Some(range(5, 9, Some(10)))),
            ("bytes 9-5/10", None),
            ("bytes 5-10/10", None),
            ("bytes */10", None),
            ("bytes +5-9/10", None),
            ("items 0-9/10", None),
            ("bytes 0-99999999999999999999/*", None),
            ("", None),
        ] {
            assert_eq!(parse(text), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_header_is_read_without_a_panic(text in ".{0,60}") {
            let _ = parse(&text);
        }
    }
}
