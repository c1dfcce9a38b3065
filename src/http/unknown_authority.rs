//! The error for a certificate of an unknown authority, which names the authorities that are trusted.

use std::fmt;
use std::sync::Arc;

use rustls::{CertificateError, OtherError};

/// A certificate that none of the authorities has issued.
#[derive(Debug)]
pub(super) struct UnknownAuthority {
    /// Where the authorities are from.
    origin: String,
}

impl UnknownAuthority {
    /// The error for rustls.
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
