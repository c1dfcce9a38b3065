//! Certificates for one host: the directories in which docker and podman keep them. `HOST/*.crt` and `HOST:PORT/*.crt`
//! are further authorities, a pair of `*.cert` and `*.key` shows the server who the client is. They are for that host alone.
//!
//! Sources: docs.docker.com/engine/security/certificates, containers-certs.d(5).

use std::io;
use std::path::{Path, PathBuf};

use url::Url;

use super::roots::files;
use super::{Identity, IdentityError, Roots, RootsError};

/// Where directories for hosts are; the first that has one for a host counts.
#[derive(Clone, Debug, Default)]
pub struct CertsDirectories(pub Vec<PathBuf>);

impl CertsDirectories {
    /// The directory for the host of a URL, if there is one.
    pub(super) fn of(&self, url: &Url) -> Option<PathBuf> {
        let names = names(url);
        let candidates = self.0.iter().flat_map(|directory| {
            let names = names.iter();
            names.map(move |name| directory.join(name))
        });
        candidates.into_iter().find(|path| path.is_dir())
    }
}

/// How the host of a URL may be written as the name of a directory.
fn names(url: &Url) -> Vec<String> {
    if url.scheme() != "https" {
        return Vec::new();
    }
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => vec![format!("{host}:{port}")],
        None => vec![host.to_owned(), format!("{host}:443")],
    }
}

/// What the directory of a host holds.
pub(super) struct HostCertificates {
    pub(super) roots: Roots,
    pub(super) identity: Option<Identity>,
}

impl HostCertificates {
    /// Reads a directory. Its authorities are added to `roots`.
    pub(super) fn read(directory: &Path, mut roots: Roots) -> Result<Self, HostCertificatesError> {
        let error = |reason| HostCertificatesError {
            directory: directory.to_owned(),
            reason,
        };
        let files = files(directory).map_err(|source| error(Reason::Read(source)))?;
        let mut identity = None;
        for path in &files {
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("crt") => {
                    roots = roots
                        .with_file(path)
                        .map_err(|source| error(Reason::Roots(source)))?;
                }
                Some("cert") => {
                    let key = path.with_extension("key");
                    if !files.contains(&key) {
                        return Err(error(Reason::Lone(path.clone(), "key")));
                    }
                    // Of several the first counts: there is no way to know which one the server would take.
                    if identity.is_none() {
                        let read = Identity::from_files(path, &key);
                        identity = Some(read.map_err(|source| error(Reason::Identity(source)))?);
                    }
                }
                Some("key") if !files.contains(&path.with_extension("cert")) => {
                    return Err(error(Reason::Lone(path.clone(), "cert")));
                }
                _ => {}
            }
        }
        Ok(Self { roots, identity })
    }
}

/// The directory of a host whose files cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the certificates in {}", directory.display())]
pub struct HostCertificatesError {
    directory: PathBuf,
    #[source]
    reason: Reason,
}

#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error(transparent)]
    Read(io::Error),
    #[error(transparent)]
    Roots(RootsError),
    #[error(transparent)]
    Identity(IdentityError),
    #[error("{} has no .{} file beside it; authorities are in .crt files", .0.display(), .1)]
    Lone(PathBuf, &'static str),
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_host_has_the_directory_of_its_name_and_port() {
        let system = tempfile::tempdir().unwrap();
        let user = tempfile::tempdir().unwrap();
        for (directory, name) in [
            (&system, "r.example"),
            (&system, "r.example:5000"),
            (&system, "s.example:443"),
            (&system, "[fd00::1]:5000"),
            (&user, "r.example"),
        ] {
            fs::create_dir(directory.path().join(name)).unwrap();
        }
        let directories = CertsDirectories(vec![user.path().to_owned(), system.path().to_owned()]);
        for (url, found) in [
            ("https://r.example/v2/", Some(user.path().join("r.example"))),
            (
                "https://R.example:443/v2/",
                Some(user.path().join("r.example")),
            ),
            (
                "https://r.example:5000/",
                Some(system.path().join("r.example:5000")),
            ),
            (
                "https://s.example/",
                Some(system.path().join("s.example:443")),
            ),
            (
                "https://[fd00::1]:5000/",
                Some(system.path().join("[fd00::1]:5000")),
            ),
            ("https://r.example:5001/", None),
            ("https://t.r.example/", None),
            ("http://r.example/", None),
        ] {
            assert_eq!(directories.of(&url.parse().unwrap()), found, "{url}");
        }
    }

    #[test]
    fn a_certificate_without_its_key_is_an_error_that_names_both() {
        for (name, says) in [("client.cert", ".key"), ("client.key", ".cert")] {
            let directory = tempfile::tempdir().unwrap();
            fs::write(directory.path().join(name), "").unwrap();
            let read = HostCertificates::read(directory.path(), Roots::of_the_system());
            let error = read.err().unwrap();
            let reason = std::error::Error::source(&error).unwrap().to_string();
            assert!(reason.contains(name) && reason.contains(says), "{reason}");
        }
    }
}
