//! docker-registry, the reference implementation, with deletion and an access log.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::program;
use super::server::{Server, free_port, wait_until};
use super::token_server::{NAME, TokenServer};
use crate::support::tls::Authority;

/// A registry with its own storage.
pub(crate) struct DockerRegistry {
    server: Server,
    port: u16,
    /// Kept for as long as the server runs.
    _directory: TempDir,
}

/// One line of the access log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) status: u16,
}

impl Access {
    /// Reads the common log format: … "GET /v2/ HTTP/1.1" 200 …
    pub(crate) fn of_line(line: &str) -> Option<Self> {
        let (_, rest) = line.split_once("] \"")?;
        let (request, rest) = rest.split_once("\" ")?;
        let mut words = request.split(' ');
        Some(Self {
            method: words.next()?.to_owned(),
            path: words.next()?.to_owned(),
            status: rest.split(' ').next()?.parse().ok()?,
        })
    }

    /// Whether a manifest or index was asked for.
    pub(crate) fn is_manifest(&self) -> bool {
        self.path.contains("/manifests/")
    }

    /// Whether a layer or a configuration was asked for.
    pub(crate) fn is_blob(&self) -> bool {
        self.path.contains("/blobs/")
    }
}

impl DockerRegistry {
    /// A registry that is open to everybody.
    pub(crate) fn start() -> Self {
        Self::configured(|_| String::new())
    }

    /// The same, with its storage in memory: thousands of small blobs are there much sooner.
    pub(crate) fn start_in_memory() -> Self {
        Self::with_storage("inmemory: {}", |_| String::new())
    }

    /// A registry for one user.
    pub(crate) fn start_with_password(user: &str, password: &str) -> Self {
        let passwords = program::run(Command::new("htpasswd").args(["-Bbn", user, password]));
        Self::configured(|directory| {
            let file = directory.join("htpasswd");
            fs::write(&file, passwords).unwrap();
            format!(
                "auth:\n  htpasswd:\n    realm: tests\n    path: {}",
                file.display()
            )
        })
    }

    /// A registry for whoever has a token from `server`.
    pub(crate) fn start_with_tokens(server: &TokenServer) -> Self {
        Self::start_with_tokens_from(server, &server.realm())
    }

    /// The same, where clients reach the token server at another URL.
    pub(crate) fn start_with_tokens_from(server: &TokenServer, realm: &str) -> Self {
        Self::configured(|_| {
            format!(
                "auth:\n  token:\n    realm: {realm}\n    service: {NAME}\n    issuer: {NAME}\n    rootcertbundle: {}",
                server.certificate().display()
            )
        })
    }

    /// A registry by https for clients that show a certificate of `authority`.
    pub(crate) fn start_with_client_certificates(authority: &Authority) -> Self {
        Self::configured(|directory| {
            let identity = authority.identity(&["localhost"]);
            let (certificate, key) = (directory.join("certificate"), directory.join("key"));
            fs::write(&certificate, identity.certificate).unwrap();
            fs::write(&key, identity.key).unwrap();
            // Further lines of the section `http`.
            format!(
                "  tls:\n    certificate: {}\n    key: {}\n    clientcas: [ {} ]",
                certificate.display(),
                key.display(),
                authority.write(directory).display()
            )
        })
    }

    fn configured(rest: impl FnOnce(&Path) -> String) -> Self {
        Self::with_storage("filesystem:\n    rootdirectory: DIRECTORY", rest)
    }

    /// `DIRECTORY` in `storage` is one of the registry's own, and `rest` gives the end of its configuration.
    fn with_storage(storage: &str, rest: impl FnOnce(&Path) -> String) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let port = free_port();
        let path = directory.path();
        let config = path.join("config.yml");
        let text = format!(
            "version: 0.1\n\
             log:\n  level: warn\n\
             storage:\n  {storage}\n  delete:\n    enabled: true\n\
             validation:\n  manifests:\n    urls:\n      allow: [\"^https?://\"]\n\
             http:\n  addr: 127.0.0.1:{port}\n{rest}\n",
            storage = storage.replace("DIRECTORY", &path.join("storage").display().to_string()),
            rest = rest(path)
        );
        fs::write(&config, text).unwrap();
        let server = Server::start(
            Command::new("docker-registry").arg("serve").arg(&config),
            &path.join("log"),
            || TcpStream::connect(("127.0.0.1", port)).is_ok(),
        );
        Self {
            server,
            port,
            _directory: directory,
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// `localhost:port`, the registry's name in a reference.
    pub(crate) fn name(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// `http://localhost:port/v2/`, what the classic `--registry` takes.
    pub(crate) fn url(&self) -> String {
        format!("http://localhost:{}/v2/", self.port)
    }

    /// Copies the image of an OCI layout to `repository:tag`.
    pub(crate) fn push(&self, layout: &Path, repository: &str, tag: &str, arguments: &[&str]) {
        program::run(
            Command::new("skopeo")
                .args(["--insecure-policy", "copy", "--dest-tls-verify=false"])
                .args(arguments)
                .arg(format!("oci:{}:1", layout.display()))
                .arg(format!("docker://{}/{repository}:{tag}", self.name())),
        );
    }

    /// Deletes a manifest and every tag of it.
    pub(crate) fn delete(&self, repository: &str, digest: &str) {
        let answer = self.ask(&format!("DELETE /v2/{repository}/manifests/{digest}"));
        assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    }

    /// Takes a blob from a repository. Others may still have it.
    pub(crate) fn delete_blob(&self, repository: &str, digest: &str) {
        let answer = self.ask(&format!("DELETE /v2/{repository}/blobs/{digest}"));
        assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    }

    /// Keeps a manifest or index, whose parts must be there.
    pub(crate) fn put_manifest(
        &self,
        repository: &str,
        reference: &str,
        media_type: &str,
        content: &[u8],
    ) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(
            stream,
            "PUT /v2/{repository}/manifests/{reference} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Content-Type: {media_type}\r\nContent-Length: {}\r\n\r\n",
            content.len()
        )
        .unwrap();
        stream.write_all(content).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    }

    /// Everything that was asked so far. Lines are written after their answers, so this asks for something
    /// itself and waits until that is told.
    pub(crate) fn accesses(&self) -> Vec<Access> {
        let seen = self.parsed().len();
        let marker = format!("/v2/marker-{seen}/tags/list");
        self.ask(&format!("GET {marker}"));
        wait_until(|| self.parsed().iter().any(|access| access.path == marker))
            .unwrap_or_else(|()| panic!("no access log: {}", self.server.log()));
        let mut accesses = self.parsed();
        accesses.retain(|access| !access.path.contains("/marker-"));
        accesses
    }

    fn parsed(&self) -> Vec<Access> {
        self.server
            .log()
            .lines()
            .filter_map(Access::of_line)
            .collect()
    }

    fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(
            stream,
            "{request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }
}
