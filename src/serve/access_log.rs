//! The access log: one line a request, in the combined log format that nginx, Apache and docker-registry write.
//!
//! Source: httpd.apache.org/docs/2.4/logs.html.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use hyper::header::{HeaderName, REFERER, USER_AGENT};
use hyper::{HeaderMap, Method, Uri, Version};

/// Takes one line for each request, once its answer has gone out or its client has left. It is called in the midst
/// of the work, and so must not wait.
pub type AccessLog = Arc<dyn Fn(Access) + Send + Sync>;

/// Who asked what, and what came of it.
#[derive(Clone, Debug)]
pub struct Access {
    client: IpAddr,
    time: SystemTime,
    /// The request's first line; nothing where it could not be read.
    line: String,
    referrer: String,
    user_agent: String,
    /// What was answered.
    pub(super) status: u16,
    /// How many bytes of the body went out, which is less than was announced where the client left.
    pub(super) bytes: u64,
}

impl Access {
    /// A request that was read.
    pub(super) fn of(
        client: IpAddr,
        method: &Method,
        uri: &Uri,
        version: Version,
        headers: &HeaderMap,
    ) -> Self {
        let text = |name: HeaderName| {
            headers
                .get(name)
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
                .unwrap_or_default()
        };
        Self {
            line: format!("{method} {} {version:?}", without_user(uri)),
            referrer: text(REFERER),
            user_agent: text(USER_AGENT),
            ..Self::unreadable(client, 0)
        }
    }

    /// What came was no request.
    pub(super) fn unreadable(client: IpAddr, status: u16) -> Self {
        Self {
            client,
            time: SystemTime::now(),
            line: String::new(),
            referrer: String::new(),
            user_agent: String::new(),
            status,
            bytes: 0,
        }
    }
}

/// A request's target, without the password that one for a proxy may have in it.
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
        let [line, referrer, user_agent] =
            [&self.line, &self.referrer, &self.user_agent].map(|text| Quoted(text));
        write!(
            f,
            "] \"{line}\" {} {} \"{referrer}\" \"{user_agent}\"",
            self.status, self.bytes
        )
    }
}

/// Text of a client's, which must not end its quotes or its line.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("-");
        }
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                c if c.is_control() => write!(f, "\\x{:02x}", u32::from(c))?,
                c => write!(f, "{c}")?,
            }
        }
        Ok(())
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
            line: "GET /v2/ HTTP/1.1".to_owned(),
            referrer: String::new(),
            user_agent: user_agent.to_owned(),
            status: 200,
            bytes: 2,
        }
    }

    #[test]
    fn is_written_as_others_write_it() {
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
    fn no_client_can_forge_a_line() {
        let line = access("a\" 200 \"\\\n::1 - -\u{85}\t").to_string();
        assert!(
            line.ends_with("\"a\\\" 200 \\\"\\\\\\x0a::1 - -\\x85\\x09\""),
            "{line}"
        );
        assert_eq!(line.lines().count(), 1);
    }
}
