//! What goes back to a client: status, headers, a body that is bytes or part of a file, and the errors in the
//! form that registries' clients read.
//!
//! Source: OCI distribution specification, section "Error Codes".

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{HeaderMap, StatusCode};

use super::blob::Blob;

/// Everything but the body's transport.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
}

/// What the body is made of. `Content-Length` says its length, also where HEAD leaves it out.
#[derive(Debug)]
pub(super) enum Body {
    /// These bytes.
    Bytes(Bytes),
    /// This part of a file.
    Blob(Arc<Blob>, Range<u64>),
}

/// The specification's error codes, as far as reading needs them.
#[derive(Clone, Copy, Debug)]
pub(super) enum ErrorCode {
    BlobUnknown,
    DigestInvalid,
    ManifestUnknown,
    NameInvalid,
    NameUnknown,
    TooManyRequests,
    Unsupported,
}

impl ErrorCode {
    fn as_str(self) -> &'static str {
        match self {
            Self::BlobUnknown => "BLOB_UNKNOWN",
            Self::DigestInvalid => "DIGEST_INVALID",
            Self::ManifestUnknown => "MANIFEST_UNKNOWN",
            Self::NameInvalid => "NAME_INVALID",
            Self::NameUnknown => "NAME_UNKNOWN",
            Self::TooManyRequests => "TOOMANYREQUESTS",
            Self::Unsupported => "UNSUPPORTED",
        }
    }
}

/// Why a request is not granted.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) code: ErrorCode,
    pub(super) message: Cow<'static, str>,
}

impl Refusal {
    pub(super) const READ_ONLY: Self = Self {
        status: StatusCode::METHOD_NOT_ALLOWED,
        code: ErrorCode::Unsupported,
        message: Cow::Borrowed("this registry is read-only"),
    };
    pub(super) const NO_SUCH_PATH: Self = Self {
        status: StatusCode::NOT_FOUND,
        code: ErrorCode::Unsupported,
        message: Cow::Borrowed("there is nothing at this path"),
    };
    pub(super) const NAME_INVALID: Self = Self {
        status: StatusCode::BAD_REQUEST,
        code: ErrorCode::NameInvalid,
        message: Cow::Borrowed("this is not a repository's name"),
    };
    pub(super) const NAME_UNKNOWN: Self = Self {
        status: StatusCode::NOT_FOUND,
        code: ErrorCode::NameUnknown,
        message: Cow::Borrowed("no such repository is served here"),
    };
    pub(super) const MANIFEST_UNKNOWN: Self = Self {
        status: StatusCode::NOT_FOUND,
        code: ErrorCode::ManifestUnknown,
        message: Cow::Borrowed("the repository has no such manifest"),
    };
    pub(super) const FOREIGN_LAYER: Self = Self {
        status: StatusCode::NOT_FOUND,
        code: ErrorCode::BlobUnknown,
        message: Cow::Borrowed("a foreign layer, which is fetched from its URLs in the manifest"),
    };
    pub(super) const BLOB_UNKNOWN: Self = Self {
        status: StatusCode::NOT_FOUND,
        code: ErrorCode::BlobUnknown,
        message: Cow::Borrowed("the repository has no such blob"),
    };
    pub(super) const NAMESPACE_INVALID: Self = Self {
        status: StatusCode::BAD_REQUEST,
        code: ErrorCode::NameInvalid,
        message: Cow::Borrowed("`ns` is not a registry's name"),
    };
    pub(super) const NO_HOST: Self = Self {
        status: StatusCode::BAD_REQUEST,
        code: ErrorCode::Unsupported,
        message: Cow::Borrowed("a request has one Host field, with a host's name in it"),
    };
    pub(super) const TRANSFER_CODING: Self = Self {
        status: StatusCode::NOT_IMPLEMENTED,
        code: ErrorCode::Unsupported,
        message: Cow::Borrowed("`chunked` is the only transfer coding here"),
    };
    pub(super) const TOO_MANY_CONNECTIONS: Self = Self {
        status: StatusCode::TOO_MANY_REQUESTS,
        code: ErrorCode::TooManyRequests,
        message: Cow::Borrowed("there are too many connections from this address"),
    };
    pub(super) const CONDITION_FAILED: Self = Self {
        status: StatusCode::PRECONDITION_FAILED,
        code: ErrorCode::Unsupported,
        message: Cow::Borrowed("this is not the content that If-Match names"),
    };
    pub(super) const DIGEST_INVALID: Self = Self {
        status: StatusCode::BAD_REQUEST,
        code: ErrorCode::DigestInvalid,
        message: Cow::Borrowed("this is not a digest"),
    };

    /// A tag that stands for different images of several registries.
    pub(super) fn ambiguous(names: &[String]) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            code: ErrorCode::ManifestUnknown,
            message: Cow::Owned(format!(
                "this may be {}: ask for one of them by its full name, or with `?ns=REGISTRY`",
                names.join(" or ")
            )),
        }
    }

    /// The error in the specification's form.
    pub(super) fn answer(&self) -> Answer {
        json(self.status, self.body())
    }

    /// The same as the bytes of a whole answer, for a connection that ends with it.
    pub(super) fn last_words(&self) -> String {
        let body = self.body();
        format!(
            "HTTP/1.1 {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nretry-after: 1\r\n\
             connection: close\r\n\r\n{body}",
            self.status,
            body.len()
        )
    }

    fn body(&self) -> String {
        let errors = serde_json::json!({
            "errors": [{ "code": self.code.as_str(), "message": self.message, "detail": null }]
        });
        errors.to_string()
    }
}

pub(super) fn json(status: StatusCode, text: String) -> Answer {
    let mut answer = Answer::empty(status);
    answer
        .headers
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer.set_body(Body::Bytes(text.into()));
    answer
}

impl Answer {
    pub(super) fn empty(status: StatusCode) -> Self {
        let mut answer = Self {
            status,
            headers: HeaderMap::new(),
            body: Body::Bytes(Bytes::new()),
        };
        answer.set_body(Body::Bytes(Bytes::new()));
        answer
    }

    pub(super) fn set_body(&mut self, body: Body) {
        let length = match &body {
            Body::Bytes(bytes) => bytes.len() as u64,
            Body::Blob(_, range) => range.end.saturating_sub(range.start),
        };
        self.headers.insert(CONTENT_LENGTH, length.into());
        self.body = body;
    }

    /// All that is put here is made of numbers, digests and parsed paths, which are valid in headers.
    pub(super) fn set_text(&mut self, name: HeaderName, text: &str) {
        if let Ok(value) = HeaderValue::from_str(text) {
            self.headers.insert(name, value);
        }
    }
}
