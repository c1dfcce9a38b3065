//! TLS problems: the reasons for a failed TLS handshake about which a user can do something.

use std::time::{Duration, UNIX_EPOCH};

use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, OtherError};

use super::unknown_authority::UnknownAuthority;

/// The reason for a failed TLS handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsProblem {
    /// No trusted authority issued the server's certificate.
    UnknownAuthority,
    /// The server's certificate is for other names.
    Name,
    /// The server's certificate has expired.
    Expired,
    /// The server's certificate is not valid yet.
    NotYetValid,
    /// The server's certificate is invalid for another reason.
    Certificate,
    /// The server requires a client certificate.
    ClientCertificate,
    /// The server refuses the client certificate.
    ClientCertificateRefused,
    /// The server supports no TLS version, or no cipher, that hocker supports.
    Version,
}

impl TlsProblem {
    pub(super) fn of(error: &rustls::Error) -> Option<Self> {
        match error {
            rustls::Error::InvalidCertificate(error) => Some(Self::of_certificate(error)),
            rustls::Error::NoCertificatesPresented => Some(Self::Certificate),
            rustls::Error::AlertReceived(alert) => Self::of_alert(*alert),
            rustls::Error::PeerIncompatible(_) => Some(Self::Version),
            _ => None,
        }
    }

    fn of_certificate(error: &CertificateError) -> Self {
        match error {
            CertificateError::UnknownIssuer => Self::UnknownAuthority,
            CertificateError::Other(OtherError(other)) if other.is::<UnknownAuthority>() => {
                Self::UnknownAuthority
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::Name
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Self::NotYetValid
            }
            _ => Self::Certificate,
        }
    }

    fn of_alert(alert: AlertDescription) -> Option<Self> {
        match alert {
            // With TLS 1.2, OpenSSL sends the second alert if the certificate is missing, and also if no cipher is
            // common to both. Go sends the third.
            AlertDescription::CertificateRequired
            | AlertDescription::HandshakeFailure
            | AlertDescription::BadCertificate => Some(Self::ClientCertificate),
            AlertDescription::UnknownCA
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::AccessDenied => Some(Self::ClientCertificateRefused),
            AlertDescription::ProtocolVersion | AlertDescription::InsufficientSecurity => {
                Some(Self::Version)
            }
            _ => None,
        }
    }
}

/// Returns the text of an error, with dates instead of seconds.
pub(super) fn words(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::ExpiredContext {
            not_after, ..
        }) => format!("the server's certificate expired on {}", date(*not_after)),
        rustls::Error::InvalidCertificate(CertificateError::NotValidYetContext {
            not_before,
            ..
        }) => format!(
            "the server's certificate is not valid before {}",
            date(*not_before)
        ),
        rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(other))) => {
            other.to_string()
        }
        error => error.to_string(),
    }
}

fn date(time: UnixTime) -> String {
    match UNIX_EPOCH.checked_add(Duration::from_secs(time.as_secs())) {
        // The format has no text for dates after the year 9999.
        Some(time) if time < UNIX_EPOCH + Duration::from_secs(253_402_300_800) => {
            httpdate::fmt_http_date(time)
        }
        _ => format!("{} s after 1970", time.as_secs()),
    }
}
