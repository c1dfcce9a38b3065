//! Certificates for single registries, in the directories of docker and podman. `HOST/*.crt` and `HOST:PORT/*.crt` are
//! additional certificate authorities. A pair of `*.cert` and `*.key` is a client certificate.
//!
//! As in docker and podman, the authorities of a registry are also trusted for its token service and its blob stores.
//! Unlike docker and podman, hocker sends the client certificate only to the host of the directory, because it
//! identifies the client.
//!
//! Sources: docs.docker.com/engine/security/certificates, containers-certs.d(5), the transports in moby's
//! `distribution/registry.go` and containers/image's `docker/docker_client.go`.

use std::io;
use std::path::{Path, PathBuf};

use url::Url;

use super::roots::files;
use super::{Identity, IdentityError, Roots, RootsError};
use crate::name::endpoint;

/// The parent directories, in order. For each host, the first one with a directory for it counts.
#[derive(Clone, Debug, Default)]
pub struct CertsDirectories(pub Vec<PathBuf>);

/// The directories for connections to one host.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct HostDirectories {
    /// The directory of the host itself.
    own: Option<PathBuf>,
    /// The directory of the registry that leads to the host, if it is another one.
    registry: Option<PathBuf>,
}

impl CertsDirectories {
    /// Finds the directories for the host of a URL, to which `registry` leads.
    pub(super) fn of(&self, url: &Url, registry: Option<&Url>) -> HostDirectories {
        if url.scheme() != "https" {
            return HostDirectories::default();
        }
        let own = self.named_for(url);
        let registry = registry.and_then(|registry| self.named_for(registry));
        HostDirectories {
            registry: registry.filter(|registry| Some(registry) != own.as_ref()),
            own,
        }
    }

    fn named_for(&self, url: &Url) -> Option<PathBuf> {
        let names = names(url);
        let candidates = self.0.iter().flat_map(|directory| {
            let names = names.iter();
            names.map(move |name| directory.join(name))
        });
        candidates.into_iter().find(|path| path.is_dir())
    }
}

/// Returns the possible names of the directory for a URL's host.
fn names(url: &Url) -> Vec<String> {
    if url.scheme() != "https" {
        return Vec::new();
    }
    let host = url.host_str().unwrap_or_default();
    let mut names = match url.port() {
        Some(port) => vec![format!("{host}:{port}")],
        None => vec![host.to_owned(), format!("{host}:443")],
    };
    names.extend(endpoint::alias(url).map(str::to_owned));
    names
}

/// The certificates for connections to one host.
pub(super) struct HostCertificates {
    pub(super) roots: Roots,
    pub(super) identity: Option<Identity>,
}

impl HostDirectories {
    /// Reads the directories, and adds their authorities to `roots`.
    pub(super) fn read(&self, mut roots: Roots) -> Result<HostCertificates, HostCertificatesError> {
        for directory in self.own.iter().chain(&self.registry) {
            let error = |reason| HostCertificatesError::new(directory, reason);
            roots = authorities(directory, roots).map_err(error)?;
        }
        let identity = match &self.own {
            Some(directory) => identity(directory)
                .map_err(|reason| HostCertificatesError::new(directory, reason))?,
            None => None,
        };
        Ok(HostCertificates { roots, identity })
    }
}

fn authorities(directory: &Path, mut roots: Roots) -> Result<Roots, Reason> {
    for path in files(directory).map_err(Reason::Read)? {
        if path.extension().is_some_and(|extension| extension == "crt") {
            roots = roots.with_file(&path).map_err(Reason::Roots)?;
        }
    }
    Ok(roots)
}

fn identity(directory: &Path) -> Result<Option<Identity>, Reason> {
    let files = files(directory).map_err(Reason::Read)?;
    let mut identity = None;
    for path in &files {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("cert") => {
                let key = path.with_extension("key");
                if !files.contains(&key) {
                    return Err(Reason::Lone(path.clone(), "key"));
                }
                // The first pair counts: which one the server accepts is unknown.
                if identity.is_none() {
                    identity = Some(Identity::from_files(path, &key).map_err(Reason::Identity)?);
                }
            }
            Some("key") if !files.contains(&path.with_extension("cert")) => {
                return Err(Reason::Lone(path.clone(), "cert"));
            }
            _ => {}
        }
    }
    Ok(identity)
}

/// The files in a host's directory cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the certificates in {}", directory.display())]
pub struct HostCertificatesError {
    directory: PathBuf,
    #[source]
    reason: Reason,
}

impl HostCertificatesError {
    fn new(directory: &Path, reason: Reason) -> Self {
        Self {
            directory: directory.to_owned(),
            reason,
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error(transparent)]
    Read(io::Error),
    #[error(transparent)]
    Roots(RootsError),
    #[error(transparent)]
    Identity(IdentityError),
    #[error("{} has no .{} file next to it; authorities belong in .crt files", .0.display(), .1)]
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
            (&user, "docker.io"),
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
            (
                "https://registry-1.docker.io/v2/",
                Some(user.path().join("docker.io")),
            ),
            ("https://registry-1.docker.io:5000/v2/", None),
            ("https://r.example:5001/", None),
            ("https://t.r.example/", None),
            ("http://r.example/", None),
        ] {
            let url = url.parse().unwrap();
            for registry in [None, Some(&url)] {
                let directories = directories.of(&url, registry);
                assert_eq!(directories.own, found, "{url}");
                assert_eq!(directories.registry, None, "{url}");
            }
        }
    }

    #[test]
    fn a_host_that_a_registry_leads_to_has_its_directory_too() {
        let home = tempfile::tempdir().unwrap();
        for name in ["r.example", "s.example"] {
            fs::create_dir(home.path().join(name)).unwrap();
        }
        let directories = CertsDirectories(vec![home.path().to_owned()]);
        let registry: Url = "https://r.example/v2/".parse().unwrap();
        for (url, own, of_registry) in [
            ("https://r.example/token", Some("r.example"), None),
            ("https://s.example/x", Some("s.example"), Some("r.example")),
            ("https://t.example/x", None, Some("r.example")),
            ("http://t.example/x", None, None),
        ] {
            let found = directories.of(&url.parse().unwrap(), Some(&registry));
            assert_eq!(found.own, own.map(|name| home.path().join(name)), "{url}");
            let expected = of_registry.map(|name| home.path().join(name));
            assert_eq!(found.registry, expected, "{url}");
        }
    }

    #[test]
    fn a_certificate_without_its_key_is_an_error_that_names_both() {
        for (name, says) in [("client.cert", ".key"), ("client.key", ".cert")] {
            let directory = tempfile::tempdir().unwrap();
            fs::write(directory.path().join(name), "").unwrap();
            let directories = HostDirectories {
                own: Some(directory.path().to_owned()),
                registry: None,
            };
            let read = directories.read(Roots::of_the_system());
            let error = read.err().unwrap();
            let reason = std::error::Error::source(&error).unwrap().to_string();
            assert!(reason.contains(name) && reason.contains(says), "{reason}");
        }
    }
}
