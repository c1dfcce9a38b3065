//! Trust roots: whom TLS believes. A file that was named must be good; without one the system's bundle is
//! used where there is one, else the roots compiled in, so that a bare Nix sandbox works too.

use std::io;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject as _};

/// Where Debian, NixOS and Nix's sandbox keep the bundle.
const SYSTEM_BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Certificate authorities.
#[derive(Debug, Clone)]
pub struct Roots(RootCertStore);

impl Roots {
    /// The authorities in a PEM bundle that the user named.
    pub fn from_file(path: &Path) -> Result<Self, RootsError> {
        let error = |reason| RootsError {
            path: path.to_owned(),
            reason,
        };
        let text = std::fs::read(path).map_err(|source| error(Reason::Read(source)))?;
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(&text)
            .collect::<Result<_, _>>()
            .map_err(|source| error(Reason::Pem(source)))?;
        let mut store = RootCertStore::empty();
        // Bundles hold the odd certificate that newer rules refuse; one good one is enough.
        let (added, _) = store.add_parsable_certificates(certificates);
        if added == 0 {
            return Err(error(Reason::Empty));
        }
        Ok(Self(store))
    }

    /// The system's bundle, else the roots compiled in.
    #[must_use]
    pub fn of_the_system() -> Self {
        Self::from_file(Path::new(SYSTEM_BUNDLE)).unwrap_or_else(|_| {
            Self(RootCertStore {
                roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
            })
        })
    }

    pub(super) fn into_store(self) -> RootCertStore {
        self.0
    }
}

/// A bundle that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot take certificate authorities from {}", path.display())]
pub struct RootsError {
    path: PathBuf,
    #[source]
    reason: Reason,
}

impl RootsError {
    /// Whether there is no such file.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(&self.reason, Reason::Read(source) if source.kind() == io::ErrorKind::NotFound)
    }
}

#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error(transparent)]
    Read(io::Error),
    #[error("it is not PEM: {0}")]
    Pem(pem::Error),
    #[error("it holds no certificate")]
    Empty,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_bundle_without_certificates_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ca.pem");
        assert!(Roots::from_file(&path).is_err());
        for text in [
            "",
            "no PEM",
            "-----BEGIN CERTIFICATE-----\n%%\n-----END CERTIFICATE-----\n",
        ] {
            std::fs::write(&path, text).unwrap();
            assert!(Roots::from_file(&path).is_err(), "{text:?}");
        }
    }

    #[test]
    fn there_is_always_someone_to_trust() {
        assert!(!Roots::of_the_system().into_store().is_empty());
    }
}
