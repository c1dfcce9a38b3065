//! Responses: status, headers, and a body of bytes or of a part of a file. Errors have the form that the specification
//! demands.
//!
//! Source: OCI distribution specification, section "Error Codes".

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{HeaderMap, StatusCode};

use super::blob::Blob;
use super::multipart::Multipart;

/// A response, before its body is opened.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
}

/// The content of a body. `Content-Length` is its length, even in the response to a HEAD request, which has no body.
#[derive(Debug)]
pub(super) enum Body {
    /// Bytes in memory.
    Bytes(Bytes),
    /// A range of bytes of a blob's file.
    Blob(Arc<Blob>, Range<u64>),
    /// Several ranges of bytes of a blob's file.
    Multipart(Multipart),
}

/// The error codes of the specification that a read-only registry needs.
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

/// An error response.
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
        message: Cow::Borrowed("the path is not one of the distribution API"),
    };
    pub(super) const NAME_INVALID: Self = Self {
        status: StatusCode::BAD_REQUEST,
        code: ErrorCode::NameInvalid,
        message: Cow::Borrowed("the name of the repository is invalid"),
    };
    pub(super) const NAME_UNKNOWN: Self = Self {
        status: StatusCode::NOT_FOUND,
        code: ErrorCode::NameUnknown,
        message: Cow::Borrowed("this registry has no such repository"),
    };
    pub(super) const MANIFEST_UNKNOWN: Self = Self {
        status: StatusCode::NOT_FOUND,
        code: ErrorCode::ManifestUnknown,
        message: Cow::Borrowed("the repository has no such manifest"),
    };
    pub(super) const FOREIGN_LAYER: Self = Self {
        status: StatusCode::NOT_FOUND,
        code: ErrorCode::BlobUnknown,
        message: Cow::Borrowed(
            "the blob is a foreign layer: fetch it from its URLs in the manifest",
        ),
    };
    pub(super) const BLOB_UNKNOWN: Self = Self {
        status: StatusCode::NOT_FOUND,
        code: ErrorCode::BlobUnknown,
        message: Cow::Borrowed("the repository has no such blob"),
    };
    pub(super) const NAMESPACE_INVALID: Self = Self {
        status: StatusCode::BAD_REQUEST,
        code: ErrorCode::NameInvalid,
        message: Cow::Borrowed("`ns` is not the name of a registry"),
    };
    pub(super) const NO_HOST: Self = Self {
        status: StatusCode::BAD_REQUEST,
        code: ErrorCode::Unsupported,
        message: Cow::Borrowed("a request must have one Host field with the name of a host"),
    };
    pub(super) const TRANSFER_CODING: Self = Self {
        status: StatusCode::NOT_IMPLEMENTED,
        code: ErrorCode::Unsupported,
        message: Cow::Borrowed("the only supported transfer coding is `chunked`"),
    };
    pub(super) const TOO_MANY_CONNECTIONS: Self = Self {
        status: StatusCode::TOO_MANY_REQUESTS,
        code: ErrorCode::TooManyRequests,
        message: Cow::Borrowed("this address has too many connections"),
    };
    pub(super) const CONDITION_FAILED: Self = Self {
        status: StatusCode::PRECONDITION_FAILED,
        code: ErrorCode::Unsupported,
        message: Cow::Borrowed("the content is not the one that If-Match names"),
    };
    pub(super) const DIGEST_INVALID: Self = Self {
        status: StatusCode::BAD_REQUEST,
        code: ErrorCode::DigestInvalid,
        message: Cow::Borrowed("the digest is invalid"),
    };

    /// The error for a tag of different images of several registries.
    pub(super) fn ambiguous(names: &[String]) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            code: ErrorCode::ManifestUnknown,
            message: Cow::Owned(format!(
                "the name is ambiguous: {}; ask for one of them by its full name, or with `?ns=REGISTRY`",
                names.join(" or ")
            )),
        }
    }

    /// Returns the error in the form of the specification.
    pub(super) fn response(&self) -> Response {
        json(self.status, self.body())
    }

    /// Returns the error as the text of a whole HTTP response, for a connection that hyper does not serve.
    pub(super) fn raw_response(&self) -> String {
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

pub(super) fn json(status: StatusCode, text: String) -> Response {
    let mut response = Response::empty(status);
    response
        .headers
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.set_body(Body::Bytes(text.into()));
    response
}

impl Response {
    pub(super) fn empty(status: StatusCode) -> Self {
        let mut response = Self {
            status,
            headers: HeaderMap::new(),
            body: Body::Bytes(Bytes::new()),
        };
        response.set_body(Body::Bytes(Bytes::new()));
        response
    }

    pub(super) fn set_body(&mut self, body: Body) {
        let length = match &body {
            Body::Bytes(bytes) => bytes.len() as u64,
            Body::Blob(_, range) => range.end.saturating_sub(range.start),
            Body::Multipart(multipart) => multipart.length(),
        };
        self.headers.insert(CONTENT_LENGTH, length.into());
        self.body = body;
    }

    /// Sets a field. All values are made of numbers, digests and parsed paths, which are valid in fields.
    pub(super) fn set_text(&mut self, name: HeaderName, text: &str) {
        if let Ok(value) = HeaderValue::from_str(text) {
            self.headers.insert(name, value);
        }
    }
}
