//! The error for a certificate from an unknown authority. It names the source of the trusted authorities.

use std::fmt;
use std::sync::Arc;

use rustls::{CertificateError, OtherError};

/// A certificate that no trusted authority issued.
#[derive(Debug)]
pub(super) struct UnknownAuthority {
    /// The source of the trusted authorities.
    origin: String,
}

impl UnknownAuthority {
    /// Creates the error for rustls.
    pub(super) fn error(origin: String) -> rustls::Error {
        CertificateError::Other(OtherError(Arc::new(Self { origin }))).into()
    }
}

impl fmt::Display for UnknownAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no trusted authority issued the server's certificate; the trusted authorities are from {}",
            self.origin
        )
    }
}

impl std::error::Error for UnknownAuthority {}
