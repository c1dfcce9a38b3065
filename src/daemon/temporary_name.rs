//! The name of an image in a daemon during a load. Under `127.0.0.1:PORT/hocker-load/SECRET@DIGEST` the daemon fetches
//! the image from this program. `127.0.0.1:PORT/hocker-load/SECRET:sha256-HEX` is an image of the lowest layer alone. The
//! secret is 128 random bits. The daemon keeps the name until the load removes it, or, if that load was killed, until
//! the next load or prune does. A load removes only names of these forms that no running load serves.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::name::Repository;
use crate::oci::digest::Digest;

/// The first part of the repository's path.
const PREFIX: &str = "hocker-load/";
/// The length of the secret in hexadecimal digits.
const SECRET: usize = 32;
/// How long a running load may take to answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The first bytes of the response if the image is served.
const SERVED: &[u8] = b"HTTP/1.1 200 ";

/// A temporary name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TemporaryName {
    port: u16,
    repository: Repository,
    /// The digest of the image to load.
    digest: Digest,
    names: Named,
}

/// The image that has a temporary name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// The image to load. The name ends in its digest.
    Image,
    /// An image of its lowest layer. Such an image has no digest before it is made, so the name ends in a tag.
    LowestLayer,
}

/// Returns the path of a repository that other programs cannot guess. Fails if the operating system has no random
/// bytes.
pub(super) fn secret_repository() -> Option<Repository> {
    let mut secret = [0; SECRET / 2];
    getrandom::fill(&mut secret).ok()?;
    let secret = u128::from_ne_bytes(secret);
    format!("{PREFIX}{secret:0SECRET$x}").parse().ok()
}

impl TemporaryName {
    pub(super) fn new(port: u16, repository: Repository, digest: Digest, names: Named) -> Self {
        Self {
            port,
            repository,
            digest,
            names,
        }
    }

    /// The registry and the repository, without the digest.
    pub(super) fn repository(&self) -> String {
        format!("{}:{}/{}", Ipv4Addr::LOCALHOST, self.port, self.repository)
    }

    /// The digest or the tag.
    pub(super) fn reference(&self) -> String {
        match self.names {
            Named::Image => self.digest.to_string(),
            Named::LowestLayer => self.digest.to_string().replace(':', "-"),
        }
    }

    /// Whether a running load serves the image under this name. If that is uncertain, the answer is yes.
    pub(super) async fn is_in_use(&self) -> bool {
        let request = format!(
            "HEAD /v2/{}/manifests/{} HTTP/1.1\r\nHost: {}:{}\r\nConnection: close\r\n\r\n",
            self.repository,
            self.digest,
            Ipv4Addr::LOCALHOST,
            self.port
        );
        let exchange = async {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await?;
            stream.write_all(request.as_bytes()).await?;
            let mut start = [0; SERVED.len()];
            stream.read_exact(&mut start).await?;
            Ok::<_, std::io::Error>(start == SERVED)
        };
        match tokio::time::timeout(TIMEOUT, exchange).await {
            Ok(served) => served.unwrap_or(false),
            Err(_) => true,
        }
    }
}

impl fmt::Display for TemporaryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = match self.names {
            Named::Image => '@',
            Named::LowestLayer => ':',
        };
        write!(f, "{}{separator}{}", self.repository(), self.reference())
    }
}

impl FromStr for TemporaryName {
    type Err = NotTemporary;

    fn from_str(text: &str) -> Result<Self, NotTemporary> {
        let parse = || {
            let (registry, rest) = text.split_once('/')?;
            let (repository, digest, names) =
                if let Some((repository, digest)) = rest.split_once('@') {
                    (repository, digest.parse(), Named::Image)
                } else {
                    let (repository, tag) = rest.split_once(':')?;
                    let digest = tag.replacen('-', ":", 1).parse();
                    (repository, digest, Named::LowestLayer)
                };
            let port = registry.strip_prefix("127.0.0.1:")?;
            let secret = repository.strip_prefix(PREFIX)?;
            let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            if secret.len() != SECRET || !secret.as_bytes().iter().all(is_digit) {
                return None;
            }
            Some(Self {
                port: port.parse().ok()?,
                repository: repository.parse().ok()?,
                digest: digest.ok()?,
                names,
            })
        };
        parse()
            // Other spellings of the same name are not written by this program.
            .filter(|name: &Self| name.to_string() == text)
            .ok_or(NotTemporary)
    }
}

/// A name that no load made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotTemporary;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn only_names_of_this_form_are_temporary() {
        let digest = Digest::of(b"");
        let secret = "0123456789abcdef0123456789abcdef";
        let tag = digest.to_string().replace(':', "-");
        for (name, names) in [
            (
                format!("127.0.0.1:1234/hocker-load/{secret}@{digest}"),
                Named::Image,
            ),
            (
                format!("127.0.0.1:1234/hocker-load/{secret}:{tag}"),
                Named::LowestLayer,
            ),
        ] {
            let parsed: TemporaryName = name.parse().unwrap();
            assert_eq!(parsed.to_string(), name);
            assert_eq!(parsed.names, names);
        }
        for other in [
            format!("127.0.0.1:1234/hocker-load/{secret}"),
            format!("127.0.0.1:1234/hocker-load/{secret}:1@{digest}"),
            format!("127.0.0.1:1234/hocker-load/{secret}:latest"),
            format!("127.0.0.1:1234/hocker-load/{secret}@{tag}"),
            format!("127.0.0.1:1234/hocker-load/{secret}:{digest}"),
            format!("127.0.0.1:1234/hocker-load/{secret}:{tag}@{digest}"),
            format!("127.0.0.1:1234/hocker-load/app:{tag}"),
            format!("127.0.0.1:1234/hocker-load/{}@{digest}", &secret[1..]),
            format!("127.0.0.1:1234/hocker-load/0{secret}@{digest}"),
            format!("127.0.0.1:1234/hocker-load/x/{secret}@{digest}"),
            format!("127.0.0.1:1234/hocker-load/app@{digest}"),
            format!("127.0.0.1:1234/hocker/{secret}@{digest}"),
            format!("127.0.0.1:01234/hocker-load/{secret}@{digest}"),
            format!("127.0.0.1/hocker-load/{secret}@{digest}"),
            format!("127.0.0.2:1234/hocker-load/{secret}@{digest}"),
            format!("docker.io/hocker-load/{secret}@{digest}"),
            format!("hocker-load/{secret}@{digest}"),
            "debian:12".to_owned(),
            String::new(),
        ] {
            assert_eq!(other.parse::<TemporaryName>(), Err(NotTemporary), "{other}");
        }
    }

    #[test]
    fn each_repository_has_its_own_secret() {
        let secrets: HashSet<_> = (0..100)
            .map(|_| secret_repository().unwrap().to_string())
            .collect();
        assert_eq!(secrets.len(), 100);
        let name = TemporaryName::new(
            1,
            secret_repository().unwrap(),
            Digest::of(b""),
            Named::Image,
        );
        assert_eq!(name.to_string().parse(), Ok(name));
    }

    #[tokio::test]
    async fn a_name_is_in_use_only_while_the_image_is_served() {
        for (response, is_in_use) in [
            ("HTTP/1.1 200 OK\r\n\r\n", true),
            ("HTTP/1.1 404 Not Found\r\n\r\n", false),
            ("SSH-2.0-OpenSSH_9.2\r\n", false),
            ("", false),
        ] {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            let name = TemporaryName::new(
                port,
                secret_repository().unwrap(),
                Digest::of(b""),
                Named::LowestLayer,
            );
            let other = async {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = [0; 512];
                assert!(stream.read(&mut request).await.unwrap() > 0);
                stream.write_all(response.as_bytes()).await.unwrap();
            };
            let (found, ()) = tokio::join!(name.is_in_use(), other);
            assert_eq!(found, is_in_use, "{response}");
            drop(listener);
            assert!(!name.is_in_use().await, "no listener");
        }
    }
}
