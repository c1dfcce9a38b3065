//! Requests under a condition. Content that is named by its digest never changes, so that its tag for comparison
//! is the digest.
//!
//! Source: RFC 9110, section 13.

use hyper::HeaderMap;
use hyper::header::{HeaderName, IF_MATCH, IF_NONE_MATCH, IF_RANGE};

/// What the conditions of a request come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Answer as if there were none.
    Proceed,
    /// The client has it.
    NotModified,
    /// The client wants to go on with something else.
    Failed,
}

/// Looks at `If-Match` and `If-None-Match`.
pub(super) fn evaluate(request: &HeaderMap, etag: &str) -> Outcome {
    // Strong comparison for the one, weak for the other (section 8.8.3.2).
    let meant = |name: HeaderName, weak: bool| {
        let mut fields = request.get_all(name).iter().peekable();
        fields.peek()?;
        let known = fields
            .filter_map(|field| field.to_str().ok())
            .flat_map(|field| field.split(','))
            .map(str::trim)
            .map(|known| known.strip_prefix("W/").filter(|_| weak).unwrap_or(known))
            .any(|known| known == "*" || known == etag);
        Some(known)
    };
    if meant(IF_MATCH, false) == Some(false) {
        Outcome::Failed
    } else if meant(IF_NONE_MATCH, true) == Some(true) {
        Outcome::NotModified
    } else {
        Outcome::Proceed
    }
}

/// Whether a `Range` field counts: where there is an `If-Range`, only if that means this content.
pub(super) fn range_counts(request: &HeaderMap, etag: &str) -> bool {
    let mut conditions = request.get_all(IF_RANGE).iter();
    conditions.all(|condition| condition.as_bytes() == etag.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &HeaderName, fields: &[&str]) -> HeaderMap {
        let fields = fields
            .iter()
            .map(|field| (name.clone(), field.parse().unwrap()));
        fields.collect()
    }

    #[test]
    fn what_the_client_has_is_not_sent_again() {
        for (fields, expected) in [
            (&["\"a\""][..], Outcome::NotModified),
            (&["\"b\", W/\"a\""], Outcome::NotModified),
            (&["\"b\"", "\"a\""], Outcome::NotModified),
            (&["*"], Outcome::NotModified),
            (&["\"b\""], Outcome::Proceed),
            (&["a"], Outcome::Proceed),
            (&[], Outcome::Proceed),
        ] {
            let request = headers(&IF_NONE_MATCH, fields);
            assert_eq!(evaluate(&request, "\"a\""), expected, "{fields:?}");
        }
    }

    #[test]
    fn who_wants_to_go_on_with_something_else_is_told() {
        for (fields, expected) in [
            (&["\"a\""][..], Outcome::Proceed),
            (&["*"], Outcome::Proceed),
            (&["W/\"a\""], Outcome::Failed),
            (&["\"b\""], Outcome::Failed),
        ] {
            let request = headers(&IF_MATCH, fields);
            assert_eq!(evaluate(&request, "\"a\""), expected, "{fields:?}");
        }
    }

    #[test]
    fn a_range_counts_only_for_the_content_that_is_meant() {
        for (fields, expected) in [
            (&[][..], true),
            (&["\"a\""], true),
            (&["\"b\""], false),
            (&["\"a\"", "\"b\""], false),
            (&["W/\"a\""], false),
            (&["Sat, 01 Jan 2000 00:00:00 GMT"], false),
        ] {
            let request = headers(&IF_RANGE, fields);
            assert_eq!(range_counts(&request, "\"a\""), expected, "{fields:?}");
        }
    }
}
