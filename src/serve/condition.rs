//! Conditional requests. The digest of the content is its entity tag.
//!
//! Source: RFC 9110, section 13.

use hyper::HeaderMap;
use hyper::header::{HeaderName, IF_MATCH, IF_NONE_MATCH, IF_RANGE};

/// The result of a request's conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Respond as to a request without conditions.
    Proceed,
    /// The client already has the content.
    NotModified,
    /// The client expects other content.
    Failed,
}

/// Evaluates `If-Match` and `If-None-Match`.
pub(super) fn evaluate(request: &HeaderMap, etag: &str) -> Outcome {
    // `If-Match` compares strongly, `If-None-Match` weakly (section 8.8.3.2).
    let names_content = |name: HeaderName, weak: bool| {
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
    if names_content(IF_MATCH, false) == Some(false) {
        Outcome::Failed
    } else if names_content(IF_NONE_MATCH, true) == Some(true) {
        Outcome::NotModified
    } else {
        Outcome::Proceed
    }
}

/// Whether to apply a `Range` field: always without `If-Range`, otherwise if `If-Range` names this content.
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
    fn content_that_the_client_has_is_not_sent_again() {
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
    fn a_client_that_expects_other_content_gets_an_error() {
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
    fn a_range_applies_only_to_the_content_that_if_range_names() {
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
