//! Where a daemon is, as `DOCKER_HOST` says it, and how to be sure that it is the one.
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

/// Where dockerd listens unless it is told otherwise.
const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// A daemon's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `unix:///run/docker.sock`
    Socket(PathBuf),
    /// `tcp://host:2375`, as an http URL; an https URL where TLS is asked for.
    Port(Url),
}

impl Address {
    /// Whether it leads to this machine, unless somebody forwards it: to a socket, or by loopback.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::Socket(_) => true,
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
                return if path.is_absolute() {
                    Ok(Self::Socket(path.to_owned()))
                } else {
                    Err(invalid())
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
        // A port that is the scheme's own is not kept, and then is what was meant.
        if url.port().is_none() && !rest.trim_end_matches('/').ends_with(default_port(scheme)) {
            url.set_port(Some(port)).map_err(|()| invalid())?;
        }
        Ok(Self::Port(url))
    }
}

fn default_port(scheme: &str) -> &'static str {
    if scheme == "https" { ":443" } else { ":80" }
}

/// An address, and what TLS needs where it is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// Where.
    pub address: Address,
    /// Files for TLS, for a port.
    pub tls: Option<TlsFiles>,
}

/// The files that TLS needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// The authority that vouches for the daemon; without one, whom else the program believes.
    pub authority: Option<PathBuf>,
    /// The client's certificate, and its key.
    pub identity: Option<(PathBuf, PathBuf)>,
}

impl TlsFiles {
    /// Finds `ca.pem`, `cert.pem` and `key.pem` in a directory, as docker names them.
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
    /// A client for the daemon there. `roots` vouch for it where there is no authority of its own.
    pub(super) fn client(
        self,
        roots: impl FnOnce() -> Result<Roots, RootsError>,
        settings: Settings,
    ) -> Result<Direct, EndpointError> {
        let door = match (self.address, self.tls) {
            (Address::Socket(path), _) => Target::Socket(path),
            (Address::Port(url), None) if url.scheme() != "https" => Target::Plain(url),
            (Address::Port(mut url), files) => {
                // Both schemes are known to the parser, so that changing one for the other cannot fail.
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
        Ok(Direct::new(door, settings)?)
    }
}

/// TLS or HTTP cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// The authority.
    #[error(transparent)]
    Roots(#[from] RootsError),
    /// The client's certificate.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// HTTP.
    #[error(transparent)]
    Http(#[from] http::Error),
}

/// A text that is no address of a daemon.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// A scheme that is not known, or something else that does not fit.
    #[error(
        "`{0}` is no address of a daemon: it reads like unix:///var/run/docker.sock or tcp://host:2375"
    )]
    Invalid(String),
    /// A daemon that would be reached by ssh.
    #[error(
        "daemons are not reached by ssh: forward the socket (ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock HOST) \
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
