//! The access log: one line for each request, in the combined log format of nginx, Apache and docker-registry.
//!
//! Source: httpd.apache.org/docs/2.4/logs.html.

use std::fmt::{self, Write as _};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use hyper::header::{HeaderName, REFERER, USER_AGENT};
use hyper::{HeaderMap, Method, Uri, Version};

use crate::printable::{Printable, is_printable};

/// Takes one entry for each request, when its response is sent or its client has closed the connection. The server calls
/// it while it works, so it must not block.
pub type AccessLog = Arc<dyn Fn(Access) + Send + Sync>;

/// The maximum length of a quoted field in bytes (1 KiB).
const FIELD: usize = 1 << 10;

/// An entry of the log: a client, its request and the response.
#[derive(Clone, Debug)]
pub struct Access {
    client: IpAddr,
    time: SystemTime,
    /// The request line; empty if the request could not be parsed.
    request: Quoted,
    referrer: Quoted,
    user_agent: Quoted,
    /// The status of the response.
    pub(super) status: u16,
    /// The number of bytes of the body that were sent. It is less than `Content-Length` if the client closed the
    /// connection.
    pub(super) bytes: u64,
}

impl Access {
    /// The entry for a request.
    pub(super) fn of(
        client: IpAddr,
        method: &Method,
        uri: &Uri,
        version: Version,
        headers: &HeaderMap,
    ) -> Self {
        let field = |name: HeaderName| {
            headers
                .get(name)
                .map(|value| Quoted::new(&String::from_utf8_lossy(value.as_bytes())))
                .unwrap_or_default()
        };
        Self {
            request: Quoted::new(&format!("{method} {} {version:?}", without_user(uri))),
            referrer: field(REFERER),
            user_agent: field(USER_AGENT),
            ..Self::unreadable(client, 0)
        }
    }

    /// The entry for bytes that are not a request.
    pub(super) fn unreadable(client: IpAddr, status: u16) -> Self {
        Self {
            client,
            time: SystemTime::now(),
            request: Quoted::default(),
            referrer: Quoted::default(),
            user_agent: Quoted::default(),
            status,
            bytes: 0,
        }
    }

    /// Returns the line of the log.
    #[must_use]
    pub fn line(&self) -> Printable {
        Printable::of_any_length(&self.to_string())
    }
}

/// Returns a request's target without user name and password. A request to a proxy may contain them.
fn without_user(uri: &Uri) -> String {
    let target = uri.to_string();
    match uri
        .authority()
        .and_then(|authority| authority.as_str().rsplit_once('@'))
    {
        Some((user, _)) => target.replacen(&format!("{user}@"), "", 1),
        None => target,
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} - - [", self.client)?;
        // "Sat, 21 Nov 2026 10:59:55 GMT"
        let date = httpdate::fmt_http_date(self.time);
        let words: Vec<&str> = date.split(' ').collect();
        if let [_, day, month, year, time, _] = words.as_slice() {
            write!(f, "{day}/{month}/{year}:{time} +0000")?;
        }
        write!(
            f,
            "] \"{}\" {} {} \"{}\" \"{}\"",
            self.request, self.status, self.bytes, self.referrer, self.user_agent
        )
    }
}

/// Text from a client, which can neither end its quotes or its line nor change how the line looks. Characters that are
/// not printable are written as their bytes, as in Apache and nginx (`\xe2\x80\xae`).
#[derive(Clone, Debug, Default)]
struct Quoted(String);

impl Quoted {
    /// Quotes text, and cuts it to the maximum length.
    fn new(text: &str) -> Self {
        let mut quoted = String::new();
        for character in text.chars() {
            let before = quoted.len();
            match character {
                '"' | '\\' => quoted.extend(['\\', character]),
                _ if is_printable(character) => quoted.push(character),
                _ => {
                    for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                        // Writing to a String cannot fail.
                        let _ = write!(quoted, "\\x{byte:02x}");
                    }
                }
            }
            if quoted.len() > FIELD {
                quoted.truncate(before);
                quoted.push('…');
                break;
            }
        }
        Self(quoted)
    }
}

impl fmt::Display for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "-" } else { &self.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn access(user_agent: &str) -> Access {
        Access {
            client: "::1".parse().unwrap(),
            time: SystemTime::UNIX_EPOCH + Duration::from_secs(951_782_400),
            request: Quoted::new("GET /v2/ HTTP/1.1"),
            referrer: Quoted::default(),
            user_agent: Quoted::new(user_agent),
            status: 200,
            bytes: 2,
        }
    }

    #[test]
    fn a_line_has_the_combined_log_format() {
        assert_eq!(
            access("curl/8.0").to_string(),
            "::1 - - [29/Feb/2000:00:00:00 +0000] \"GET /v2/ HTTP/1.1\" 200 2 \"-\" \"curl/8.0\""
        );
    }

    #[test]
    fn a_password_in_a_requests_target_is_not_written() {
        for (target, written) in [
            ("/v2/a@b/tags/list", "/v2/a@b/tags/list"),
            ("http://x/v2/?n=a@b", "http://x/v2/?n=a@b"),
            ("http://user:s3cret@x:1/v2/", "http://x:1/v2/"),
            ("user:s3cret@x:1", "x:1"),
        ] {
            let uri: Uri = target.parse().unwrap();
            assert_eq!(without_user(&uri), written);
        }
    }

    #[test]
    fn no_client_can_forge_a_line_or_change_how_it_reads() {
        for (user_agent, written) in [
            (
                "a\" 200 \"\\\n::1 - -\u{85}\t",
                r#""a\" 200 \"\\\x0a::1 - -\xc2\x85\x09""#,
            ),
            ("\u{1b}[2J", r#""\x1b[2J""#),
            ("a\u{202e}b\u{2066}", r#""a\xe2\x80\xaeb\xe2\x81\xa6""#),
            ("\u{200b}\u{feff}", r#""\xe2\x80\x8b\xef\xbb\xbf""#),
            ("\u{2028}\u{e0041}", r#""\xe2\x80\xa8\xf3\xa0\x81\x81""#),
            ("größe", r#""größe""#),
        ] {
            let access = access(user_agent);
            let line = access.line();
            assert!(line.as_str().ends_with(written), "{line}");
            assert_eq!(line.as_str(), access.to_string(), "printable already");
        }
    }

    #[test]
    fn a_line_is_bounded_whatever_a_client_sends() {
        for text in [
            "x".repeat(30_000),
            "\u{e0041}".repeat(7000),
            "\"".repeat(5000),
        ] {
            let line = access(&text).to_string();
            assert!(line.len() < FIELD + 120, "{}", line.len());
            assert!(line.ends_with("…\""), "{line}");
        }
    }
}
