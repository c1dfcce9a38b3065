//! The address of a daemon, in the form of `DOCKER_HOST`, and the files for TLS.
//!
//! Source: docker/cli, `opts/hosts.go`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use url::Url;

use crate::http::direct::{Direct, Target, TlsTarget};
use crate::http::{self, Identity, IdentityError, Roots, RootsError, Settings};
use crate::name::address::is_loopback;
use crate::safe_url::{self, SafeUrl};

/// The default socket of dockerd.
const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// The name of every socket of containerd.
const CONTAINERD: &str = "containerd.sock";

/// A daemon's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `unix:///run/docker.sock`
    Socket(PathBuf),
    /// `tcp://host:2375` as an http URL, or an https URL for TLS.
    Port(Url),
    /// `containerd:///run/containerd/containerd.sock`, which has another API. `containerd://` alone stands for the socket
    /// that the environment names, and has no path.
    Containerd(Option<PathBuf>),
}

impl Address {
    /// Returns whether the address is a socket or a loopback address. A program on this machine may still forward it to
    /// another one.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::Socket(_) | Self::Containerd(_) => true,
            Self::Port(url) => is_loopback(url),
        }
    }
}

impl Default for Address {
    fn default() -> Self {
        Self::Socket(PathBuf::from(DEFAULT_SOCKET))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(path) => write!(f, "unix://{}", path.display()),
            Self::Port(url) => SafeUrl::new(url).fmt(f),
            Self::Containerd(None) => f.write_str("containerd://"),
            Self::Containerd(Some(path)) => write!(f, "containerd://{}", path.display()),
        }
    }
}

impl FromStr for Address {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let invalid = || ParseError::Invalid(safe_url::shown(text));
        let (scheme, rest) = text.split_once("://").ok_or_else(invalid)?;
        let (scheme, port) = match scheme {
            "unix" => {
                let path = Path::new(rest);
                return if !path.is_absolute() {
                    Err(invalid())
                } else if path.file_name().is_some_and(|name| name == CONTAINERD) {
                    Ok(Self::Containerd(Some(path.to_owned())))
                } else {
                    Ok(Self::Socket(path.to_owned()))
                };
            }
            "containerd" => {
                let path = Some(rest).filter(|rest| !rest.is_empty()).map(Path::new);
                return match path {
                    Some(path) if !path.is_absolute() => Err(invalid()),
                    path => Ok(Self::Containerd(path.map(Path::to_owned))),
                };
            }
            "tcp" | "http" => ("http", 2375),
            "https" => ("https", 2376),
            "ssh" => return Err(ParseError::Ssh),
            _ => return Err(invalid()),
        };
        let mut url: Url = format!("{scheme}://{rest}")
            .parse()
            .map_err(|_| invalid())?;
        let plain = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if !plain || url.path() != "/" {
            return Err(invalid());
        }
        // `Url` drops the port that is the default of the scheme. If the text has this port, it stays.
        if url.port().is_none() && !rest.trim_end_matches('/').ends_with(default_port(scheme)) {
            url.set_port(Some(port)).map_err(|()| invalid())?;
        }
        Ok(Self::Port(url))
    }
}

fn default_port(scheme: &str) -> &'static str {
    if scheme == "https" { ":443" } else { ":80" }
}

/// An address, and the files for TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// The address.
    pub address: Address,
    /// The files for TLS with a port. `None` without TLS.
    pub tls: Option<TlsFiles>,
}

/// The files for TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate authority of the daemon. `None` stands for the default authorities.
    pub authority: Option<PathBuf>,
    /// The certificate of the client, and its key.
    pub identity: Option<(PathBuf, PathBuf)>,
}

impl TlsFiles {
    /// Finds `ca.pem`, `cert.pem` and `key.pem` in a directory. Docker uses these names.
    #[must_use]
    pub fn in_directory(directory: &Path) -> Self {
        let file = |name: &str| Some(directory.join(name)).filter(|path| path.exists());
        Self {
            authority: file("ca.pem"),
            identity: file("cert.pem").zip(file("key.pem")),
        }
    }
}

impl Endpoint {
    /// Creates the client for the daemon. `roots` provides the default certificate authorities, used if the endpoint
    /// names none.
    pub(super) fn client(
        self,
        roots: impl FnOnce() -> Result<Roots, RootsError>,
        settings: Settings,
    ) -> Result<Direct, EndpointError> {
        let target = match (self.address, self.tls) {
            (Address::Containerd(_), _) => return Err(EndpointError::Containerd),
            (Address::Socket(path), _) => Target::Socket(path),
            (Address::Port(url), None) if url.scheme() != "https" => Target::Plain(url),
            (Address::Port(mut url), files) => {
                // The URL parser supports both schemes, so the change cannot fail.
                let _ = url.set_scheme("https");
                let files = files.unwrap_or_default();
                Target::Tls(Box::new(TlsTarget {
                    url,
                    roots: match files.authority {
                        Some(path) => Roots::from_file(&path)?,
                        None => roots()?,
                    },
                    identity: match files.identity {
                        Some((certificate, key)) => Some(Identity::from_files(&certificate, &key)?),
                        None => None,
                    },
                }))
            }
        };
        Ok(Direct::new(target, settings)?)
    }
}

/// The client for the daemon cannot be created.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// The address is that of containerd, which has another API.
    #[error("this hocker cannot use containerd: it is built without the feature `containerd`")]
    Containerd,
    /// The certificate authority cannot be read.
    #[error(transparent)]
    Roots(#[from] RootsError),
    /// The certificate of the client cannot be read.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The HTTP client cannot be created.
    #[error(transparent)]
    Http(#[from] http::Error),
}

/// The text is not the address of a daemon.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// An unknown scheme, or another part that is invalid.
    #[error(
        "`{0}` is not the address of a daemon: write one like unix:///var/run/docker.sock, tcp://host:2375 or \
         containerd:///run/containerd/containerd.sock"
    )]
    Invalid(String),
    /// A daemon behind ssh, which is not supported.
    #[error(
        "cannot use a daemon through ssh: forward the socket (ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock HOST) \
         and name unix:///tmp/docker.sock"
    )]
    Ssh,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_and_loopback_are_local() {
        for (text, is_local) in [
            ("unix:///run/docker.sock", true),
            ("containerd:///run/containerd/containerd.sock", true),
            ("tcp://127.0.0.1", true),
            ("tcp://[::1]:2375", true),
            ("https://localhost", true),
            ("tcp://192.168.0.1", false),
            ("tcp://127.0.0.1.docker.example", false),
            ("https://docker.example", false),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.is_local(), is_local, "{text}");
        }
    }

    #[test]
    fn addresses_are_sockets_or_ports() {
        for (text, shown) in [
            (
                "unix:///run/podman/podman.sock",
                "unix:///run/podman/podman.sock",
            ),
            ("tcp://127.0.0.1:1234", "http://127.0.0.1:1234/"),
            ("tcp://docker.example", "http://docker.example:2375/"),
            ("tcp://docker.example:80", "http://docker.example/"),
            ("http://[::1]:2375/", "http://[::1]:2375/"),
            ("https://docker.example", "https://docker.example:2376/"),
            ("containerd:///run/x/socket", "containerd:///run/x/socket"),
            ("containerd://", "containerd://"),
            (
                "unix:///run/k3s/containerd/containerd.sock",
                "containerd:///run/k3s/containerd/containerd.sock",
            ),
        ] {
            assert_eq!(
                text.parse::<Address>().unwrap().to_string(),
                shown,
                "{text}"
            );
        }
        for text in [
            "",
            "/var/run/docker.sock",
            "unix://relative",
            "unix://",
            "containerd://relative",
            "tcp://",
            "tcp://host/path",
            "tcp://user:secret@host",
            "npipe:////./pipe/docker",
            "fd://",
        ] {
            let error = text.parse::<Address>().unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
        assert_eq!("ssh://host".parse::<Address>(), Err(ParseError::Ssh));
    }
}
