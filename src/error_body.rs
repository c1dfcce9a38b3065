//! Error bodies: the message in the body of a response that reports a failure, made printable.
//!
//! Sources: OCI distribution specification, section "Error Codes"; RFC 6749, section 5.2, for token services. Docker
//! Hub's token service uses the key `details`, others use `message`.

use serde_json::Value;

use crate::printable::Printable;

/// The maximum length of a message, in characters.
const LENGTH: usize = 300;

/// Returns the message in an error body, if the body has one of the known forms.
#[must_use]
pub(crate) fn message(body: &[u8]) -> Option<Printable> {
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        return plain(body);
    };
    let text = |value: &Value, name: &str| {
        let text = value.get(name)?.as_str()?;
        (!text.is_empty()).then(|| text.to_owned())
    };
    let first = body.get("errors").and_then(|errors| errors.get(0));
    let words = match first {
        Some(error) => match (text(error, "message"), text(error, "code")) {
            (Some(message), Some(code)) => Some(format!("{message} ({code})")),
            (message, code) => message.or(code),
        },
        None => ["error_description", "details", "message", "error"]
            .iter()
            .find_map(|name| text(&body, name)),
    };
    words.map(|words| Printable::at_most(LENGTH, &words))
}

/// Returns the first line of a plain text body, which Go's HTTP server sends.
fn plain(body: &[u8]) -> Option<Printable> {
    let line = std::str::from_utf8(body).ok()?.trim().lines().next()?;
    // An HTML page, or incomplete JSON.
    let is_markup = line.starts_with(['<', '{', '[']);
    (!is_markup).then(|| Printable::at_most(LENGTH, line))
}

#[cfg(test)]
mod tests {
    use super::message;
    use crate::printable::Printable;

    #[test]
    fn a_servers_words_are_printable_and_few() {
        let long = format!("{}\u{1b}[2J\r\n\u{202e}{}", "a", "x".repeat(1000));
        let body = serde_json::json!({ "message": long }).to_string();
        assert_eq!(
            message(body.as_bytes()),
            Some(Printable::at_most(300, &long))
        );
    }

    #[test]
    fn words_are_found_where_servers_put_them() {
        for (body, words) in [
            (
                r#"{"errors":[{"code":"DENIED","message":"no"}]}"#,
                Some("no (DENIED)"),
            ),
            (r#"{"errors":[{"status":401,"message":"no"}]}"#, Some("no")),
            (
                r#"{"errors":[{"code":"DENIED","message":""}]}"#,
                Some("DENIED"),
            ),
            (r#"{"errors":[]}"#, None),
            (r#"{"errors":[7]}"#, None),
            (
                r#"{"details":"incorrect username or password"}"#,
                Some("incorrect username or password"),
            ),
            (
                r#"{"error":"invalid_grant","error_description":"it is over"}"#,
                Some("it is over"),
            ),
            (r#"{"error":"invalid_grant"}"#, Some("invalid_grant")),
            (r#"{"message":{"a":1}}"#, None),
            ("[]", None),
            ("<html>", None),
            (r#"{"message":"no"#, None),
            ("", None),
            (" \r\n ", None),
            ("404 page not found\n", Some("404 page not found")),
            ("no such host\r\nreally", Some("no such host")),
        ] {
            let found = message(body.as_bytes());
            assert_eq!(found.as_ref().map(Printable::as_str), words, "{body}");
        }
    }
}
