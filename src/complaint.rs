//! Complaints: what a server says of a failure, in the body of its answer, fit for printing.
//!
//! Sources: OCI distribution specification, section "Error Codes"; RFC 6749, section 5.2, for token services.
//! Docker Hub's own says `details`, others `message`.

use serde_json::Value;

/// No more of a server's words than this many characters.
const LENGTH: usize = 300;

/// What the body of an answer says, if it says something in one of the known ways.
#[must_use]
pub fn of(body: &[u8]) -> Option<String> {
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
    words.map(|words| printable(&words))
}

/// The first line of a body that is plain text, as Go's servers write it.
fn plain(body: &[u8]) -> Option<String> {
    let line = std::str::from_utf8(body).ok()?.trim().lines().next()?;
    // A page, or a document that is not complete.
    let is_markup = line.starts_with(['<', '{', '[']);
    (!is_markup).then(|| printable(line))
}

/// A server's words without what could play tricks on a terminal, and not too many of them.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(LENGTH)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{of, printable};

    #[test]
    fn a_servers_words_cannot_play_with_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\r\nc"), "a [2Jb  c");
        assert_eq!(printable(&"x".repeat(1000)).len(), 300);
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
            assert_eq!(of(body.as_bytes()).as_deref(), words, "{body}");
        }
    }
}
