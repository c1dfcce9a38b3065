//! What is wrong where TLS cannot be agreed on, as far as users can do something about it.

use std::time::{Duration, UNIX_EPOCH};

use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, OtherError};

use super::unknown_authority::UnknownAuthority;

/// Why there is no connection by TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsProblem {
    /// No trusted authority issued the server's certificate.
    UnknownAuthority,
    /// The certificate is for other names.
    Name,
    /// The certificate is not valid any more.
    Expired,
    /// The certificate is not valid yet.
    NotYetValid,
    /// The certificate is not usable for another reason.
    Certificate,
    /// The server wants the client to show a certificate.
    ClientCertificate,
    /// The server does not accept the certificate that the client shows.
    ClientCertificateRefused,
    /// The server speaks no version of TLS, or none of its ciphers, that this program speaks.
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
            // Servers of TLS 1.2 send the second where a certificate is missing (OpenSSL) and where no cipher is shared,
            // Go's the third.
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

    /// Whether it is about the server's certificate.
    pub(super) fn is_of_the_server(self) -> bool {
        matches!(
            self,
            Self::UnknownAuthority
                | Self::Name
                | Self::Expired
                | Self::NotYetValid
                | Self::Certificate
        )
    }
}

/// An error in words, with dates instead of numbers of seconds.
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
        // Beyond the year 9999 there is no such text.
        Some(time) if time < UNIX_EPOCH + Duration::from_secs(253_402_300_800) => {
            httpdate::fmt_http_date(time)
        }
        _ => format!("{} s after 1970", time.as_secs()),
    }
}
