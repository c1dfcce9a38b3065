//! Client certificates, with which hocker identifies itself to a server.

use std::path::{Path, PathBuf};

use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A client certificate with its chain and private key.
#[derive(Debug)]
pub struct Identity {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
}

impl Identity {
    /// Reads the certificate and the key from PEM files.
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Self, IdentityError> {
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect)
            .map_err(|source| IdentityError::new(certificate, source))?;
        let key =
            PrivateKeyDer::from_pem_file(key).map_err(|source| IdentityError::new(key, source))?;
        Ok(Self { chain, key })
    }
}

/// A file with a certificate or private key that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the client certificate and key from {}: {reason}", path.display())]
pub struct IdentityError {
    path: PathBuf,
    // The parser's message could quote the key.
    reason: String,
}

impl IdentityError {
    fn new(path: &Path, source: pem::Error) -> Self {
        Self {
            path: path.to_owned(),
            reason: match source {
                pem::Error::Io(source) => source.to_string(),
                pem::Error::NoItemsFound => "the file contains none".to_owned(),
                _ => "the file is not PEM".to_owned(),
            },
        }
    }
}
