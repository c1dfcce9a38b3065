//! Trust roots: the certificate authorities that hocker trusts. A file that the user names must be valid. Otherwise
//! hocker uses the system's bundle, or the roots in the program itself, so it also works in a Nix sandbox without a
//! bundle.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject as _};

use crate::input;
use crate::oci::digest::Digest;

/// The paths of bundles on different systems. Source: Go, `crypto/x509/root_linux.go`.
pub const SYSTEM_BUNDLES: [&str; 6] = [
    // Debian, NixOS and Nix's sandbox.
    "/etc/ssl/certs/ca-certificates.crt",
    // Fedora and RHEL 6.
    "/etc/pki/tls/certs/ca-bundle.crt",
    // openSUSE.
    "/etc/ssl/ca-bundle.pem",
    // OpenELEC.
    "/etc/pki/tls/cacert.pem",
    // RHEL 7 and later.
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    // Alpine.
    "/etc/ssl/cert.pem",
];

/// The directories with one file per authority, used if no bundle exists. Source: Go, `crypto/x509/root_linux.go`.
pub const SYSTEM_DIRECTORIES: [&str; 2] = ["/etc/ssl/certs", "/etc/pki/tls/certs"];

/// The maximum number of bytes that are read from a file (16 MiB). The bundle of all public authorities has 220 KiB.
const LARGEST_FILE: u64 = 16 << 20;

/// Certificate authorities, and certificates that are trusted themselves.
#[derive(Debug, Clone)]
pub struct Roots {
    store: RootCertStore,
    /// The digests of the certificates.
    certificates: BTreeSet<Digest>,
    /// The sources of the certificates, for messages.
    origins: Vec<String>,
}

impl Roots {
    /// Reads the authorities from a PEM bundle.
    ///
    /// # Errors
    ///
    /// [`RootsError`] if the file cannot be read or contains no valid certificate.
    pub fn from_file(path: &Path) -> Result<Self, RootsError> {
        let mut roots = Self::none();
        roots.add_file(path)?;
        roots.origins.push(path.display().to_string());
        Ok(roots)
    }

    /// Returns the system's bundle, or the files in its directories, or the roots in the program itself.
    #[must_use]
    pub fn of_the_system() -> Self {
        let bundle = |path| Self::from_file(Path::new(path)).ok();
        if let Some(roots) = SYSTEM_BUNDLES.into_iter().find_map(bundle) {
            return roots;
        }
        let roots = Self::none().with_directories(SYSTEM_DIRECTORIES.map(PathBuf::from));
        if roots.store.is_empty() {
            Self {
                store: RootCertStore {
                    roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
                },
                certificates: BTreeSet::new(),
                origins: vec!["the program itself".to_owned()],
            }
        } else {
            roots
        }
    }

    fn none() -> Self {
        Self {
            store: RootCertStore::empty(),
            certificates: BTreeSet::new(),
            origins: Vec::new(),
        }
    }

    /// Adds the certificates from the files in these directories. Ignores other files, because such directories contain
    /// them too, and directories that do not exist.
    #[must_use]
    pub fn with_directories(mut self, directories: impl IntoIterator<Item = PathBuf>) -> Self {
        for directory in directories {
            let before = self.certificates.len();
            for path in files(&directory).unwrap_or_default() {
                let _ = self.add_file(&path);
            }
            if self.certificates.len() > before {
                self.origins.push(directory.display().to_string());
            }
        }
        self
    }

    /// Adds the name of the environment variable that named the bundle, for messages.
    #[must_use]
    pub fn named_by(mut self, variable: &str) -> Self {
        if let Some(origin) = self.origins.last_mut() {
            *origin = format!("{origin} ({variable})");
        }
        self
    }

    /// Returns the sources of the certificates, for messages.
    #[must_use]
    pub fn origin(&self) -> String {
        self.origins.join(", ")
    }

    /// Adds the certificates of a file, which must be valid.
    pub(super) fn with_file(mut self, path: &Path) -> Result<Self, RootsError> {
        self.add_file(path)?;
        self.origins.push(path.display().to_string());
        Ok(self)
    }

    /// Returns whether a certificate is itself one of the trusted certificates.
    pub(super) fn holds(&self, certificate: &CertificateDer<'_>) -> bool {
        self.certificates.contains(&Digest::of(certificate))
    }

    pub(super) fn store(&self) -> &RootCertStore {
        &self.store
    }

    fn add_file(&mut self, path: &Path) -> Result<(), RootsError> {
        let error = |reason| RootsError {
            path: path.to_owned(),
            reason,
        };
        let text = read(path).map_err(|source| error(Reason::Read(source)))?;
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(&text)
            .collect::<Result<_, _>>()
            .map_err(|source| error(Reason::Pem(source)))?;
        let mut added = 0;
        for certificate in certificates {
            let digest = Digest::of(&certificate);
            // Some bundles contain certificates that newer rules refuse. One valid certificate is enough.
            if self.certificates.contains(&digest) || self.store.add(certificate).is_ok() {
                self.certificates.insert(digest);
                added += 1;
            }
        }
        if added == 0 {
            return Err(error(Reason::Empty));
        }
        Ok(())
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    io::Read::read_to_end(
        &mut io::Read::take(input::open(path)?, LARGEST_FILE),
        &mut text,
    )?;
    Ok(text)
}

/// Returns the paths in a directory, sorted.
pub(super) fn files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = fs::read_dir(directory)?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<Vec<_>>>()?;
    files.sort();
    Ok(files)
}

/// A file of certificates that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot read certificate authorities from {}", path.display())]
pub struct RootsError {
    path: PathBuf,
    #[source]
    reason: Reason,
}

impl RootsError {
    /// Returns whether the file does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(&self.reason, Reason::Read(source) if source.kind() == io::ErrorKind::NotFound)
    }
}

#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error(transparent)]
    Read(io::Error),
    #[error("the file is not PEM: {0}")]
    Pem(pem::Error),
    #[error("the file contains no certificate")]
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
            fs::write(&path, text).unwrap();
            assert!(Roots::from_file(&path).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_directory_may_hold_other_things_too() {
        let directory = tempfile::tempdir().unwrap();
        let certificate = rcgen::generate_simple_self_signed(["r.example".to_owned()]).unwrap();
        fs::write(directory.path().join("README"), "no PEM").unwrap();
        fs::write(directory.path().join("a.pem"), certificate.cert.pem()).unwrap();
        fs::create_dir(directory.path().join("more")).unwrap();
        std::os::unix::fs::symlink("a.pem", directory.path().join("5ca1ab1e.0")).unwrap();
        std::os::unix::fs::symlink("gone.pem", directory.path().join("0.0")).unwrap();
        let absent = directory.path().join("absent");
        let roots = Roots::none().with_directories([absent, directory.path().to_owned()]);
        assert_eq!(roots.store().len(), 1);
        assert_eq!(roots.origin(), directory.path().display().to_string());
        assert!(roots.holds(certificate.cert.der()));
    }

    #[test]
    fn there_is_always_an_authority_to_trust() {
        let roots = Roots::of_the_system();
        assert!(!roots.store().is_empty());
        assert_ne!(roots.origin(), "");
    }
}
