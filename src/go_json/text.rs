//! The text of a JSON document as Go reads it. Other programs refuse bytes that are not UTF-8 and halves of surrogate
//! pairs; Go reads them as U+FFFD, so container programs accept documents that contain them.
//!
//! Source: Go's `encoding/json`, documentation of `Unmarshal`.

use std::borrow::Cow;

/// The length of an escape for one UTF-16 code unit: `\u` and four digits.
const ESCAPE: usize = 6;
/// The escape for U+FFFD.
const REPLACEMENT: &[u8; ESCAPE] = br"\ufffd";

/// Returns a document as Go reads it: a byte that is not UTF-8, and the half of a surrogate pair, are U+FFFD.
pub(crate) fn as_go_reads(document: &[u8]) -> Cow<'_, [u8]> {
    let mut text = match String::from_utf8_lossy(document) {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    };
    let mut at = 0;
    while let Some(escaped) = text.get(at..).and_then(next_backslash) {
        at += escaped;
        let rest = text.get(at..).unwrap_or_default();
        let length = match (code_unit(rest), rest.get(ESCAPE..).and_then(code_unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 2 * ESCAPE,
            (Some(0xd800..=0xdfff), _) => {
                if let Some(half) = text.to_mut().get_mut(at..at + ESCAPE) {
                    half.copy_from_slice(REPLACEMENT);
                }
                ESCAPE
            }
            (Some(_), _) => ESCAPE,
            // `\\`, `\"` and the other short escapes.
            (None, _) => 2,
        };
        at += length;
    }
    text
}

fn next_backslash(text: &[u8]) -> Option<usize> {
    text.iter().position(|byte| *byte == b'\\')
}

/// Returns the code unit of the escape with which a text begins.
fn code_unit(text: &[u8]) -> Option<u16> {
    let digits = text.strip_prefix(br"\u")?.get(..ESCAPE - 2)?;
    let is_number = digits.iter().all(u8::is_ascii_hexdigit);
    let digits = str::from_utf8(digits).ok().filter(|_| is_number)?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_is_the_replacement_character() {
        for (document, expected) in [
            (&b"\"a\xffb\""[..], "a\u{fffd}b"),
            (br#""\ud800""#, "\u{fffd}"),
            (
                br#""\uDFFF\ud83d\ude00\ud800\ud800""#,
                "\u{fffd}😀\u{fffd}\u{fffd}",
            ),
            (br#""\ud800\u0041\n""#, "\u{fffd}A\n"),
            (br#""\\ud800\\\ud800""#, "\\ud800\\\u{fffd}"),
        ] {
            let text: String = serde_json::from_slice(&as_go_reads(document)).unwrap();
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn other_documents_are_unchanged() {
        for document in [
            &b""[..],
            b"\\",
            br"\u",
            br"\ud80",
            br"\ud8-1",
            br#"{"a":"\u00e9\ud83d\ude00"}"#,
        ] {
            let text = as_go_reads(document);
            assert!(matches!(text, Cow::Borrowed(same) if same == document));
        }
        assert!(serde_json::from_slice::<()>(&as_go_reads(b"\xff")).is_err());
    }
}
