//! Requests: as they arrived, and as a script expects them.

use std::time::Instant;

/// One request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// `GET`, …
    pub(crate) method: String,
    /// Path and query, as on the request line.
    pub(crate) target: String,
    /// When it had arrived.
    pub(crate) at: Instant,
    pub(super) headers: Vec<(String, String)>,
    /// The body, if one was sent.
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The value of a header, if it was sent.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// All headers as text, as an echo would show them.
    pub(crate) fn header_text(&self) -> String {
        let lines: Vec<String> = self
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        lines.join("\n")
    }

    /// First and last byte of the one range that was asked for. The last may be left open.
    pub(crate) fn range(&self) -> Option<(usize, Option<usize>)> {
        let (first, last) = self
            .header("Range")?
            .strip_prefix("bytes=")?
            .split_once('-')?;
        let last = if last.is_empty() {
            None
        } else {
            Some(last.parse().ok()?)
        };
        Some((first.parse().ok()?, last))
    }

    /// The path without the query.
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    /// The decoded values of a query parameter.
    pub(crate) fn query(&self, name: &str) -> Vec<String> {
        let url = url::Url::parse(&format!("http://host{}", self.target)).unwrap();
        url.query_pairs()
            .filter(|(own, _)| own == name)
            .map(|(_, value)| value.into_owned())
            .collect()
    }

    /// The decoded values of a field of the form that was sent.
    pub(crate) fn field(&self, name: &str) -> Vec<String> {
        url::form_urlencoded::parse(&self.body)
            .filter(|(own, _)| own == name)
            .map(|(_, value)| value.into_owned())
            .collect()
    }

    /// Method and target on one line, and the range if one was asked for.
    pub(crate) fn line(&self) -> String {
        match self.header("Range") {
            Some(range) => format!("{} {} ({range})", self.method, self.target),
            None => format!("{} {}", self.method, self.target),
        }
    }
}

/// What a request must look like to be answered. A path without a query matches any query.
#[derive(Clone, Debug)]
pub(crate) struct Expect {
    method: String,
    target: String,
    with: Vec<(String, String)>,
    having: Vec<String>,
    without: Vec<String>,
    times: Times,
    is_prefix: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Times {
    Exactly(usize),
    AtLeastOnce,
    AnyNumber,
}

/// A GET that must come exactly once.
pub(crate) fn get(target: impl Into<String>) -> Expect {
    Expect {
        method: "GET".to_owned(),
        target: target.into(),
        with: Vec::new(),
        having: Vec::new(),
        without: Vec::new(),
        times: Times::Exactly(1),
        is_prefix: false,
    }
}

/// A DELETE that must come exactly once.
pub(crate) fn delete(target: impl Into<String>) -> Expect {
    Expect {
        method: "DELETE".to_owned(),
        ..get(target)
    }
}

/// A HEAD that must come exactly once.
pub(crate) fn head(target: impl Into<String>) -> Expect {
    Expect {
        method: "HEAD".to_owned(),
        ..get(target)
    }
}

/// A POST that must come exactly once.
pub(crate) fn post(target: impl Into<String>) -> Expect {
    Expect {
        method: "POST".to_owned(),
        ..get(target)
    }
}

impl Expect {
    /// The request must have this header with exactly this value.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.with.push((name.to_owned(), value.into()));
        self
    }

    /// The request must have this header.
    pub(crate) fn having(mut self, name: &str) -> Self {
        self.having.push(name.to_owned());
        self
    }

    /// The request must not have this header.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.without.push(name.to_owned());
        self
    }

    /// The target only begins like this.
    pub(crate) fn and_below(mut self) -> Self {
        self.is_prefix = true;
        self
    }

    /// It must come so many times.
    pub(crate) fn times(mut self, count: usize) -> Self {
        self.times = Times::Exactly(count);
        self
    }

    /// It may come again, as it does where the client tries again.
    pub(crate) fn repeatedly(mut self) -> Self {
        self.times = Times::AtLeastOnce;
        self
    }

    /// It may come or not.
    pub(crate) fn perhaps(mut self) -> Self {
        self.times = Times::AnyNumber;
        self
    }

    /// Whether this is such a request, and one more of them may come after `served`.
    pub(super) fn admits(&self, request: &Request, served: usize) -> bool {
        self.matches(request)
            && match self.times {
                Times::Exactly(count) => served < count,
                Times::AtLeastOnce | Times::AnyNumber => true,
            }
    }

    /// Whether so many requests are too few.
    pub(super) fn misses(&self, served: usize) -> bool {
        match self.times {
            Times::Exactly(count) => served < count,
            Times::AtLeastOnce => served == 0,
            Times::AnyNumber => false,
        }
    }

    fn matches(&self, request: &Request) -> bool {
        self.method == request.method
            && (self.target == request.target
                || self.target == request.path()
                || (self.is_prefix && request.target.starts_with(&self.target)))
            && self
                .with
                .iter()
                .all(|(name, value)| request.header(name) == Some(value))
            && self
                .having
                .iter()
                .all(|name| request.header(name).is_some())
            && self
                .without
                .iter()
                .all(|name| request.header(name).is_none())
    }
}
