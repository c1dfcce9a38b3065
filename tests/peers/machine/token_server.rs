//! A token server for docker-registry: signed tokens for whatever is asked for.
//!
//! Source: distribution's documentation, "Token Authentication Implementation".

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::program;
use crate::support::scripted_registry::{Answer, Registry, get};

/// Who signs, and for whom.
pub(crate) const NAME: &str = "tests";

/// The server, on plain threads.
pub(crate) struct TokenServer {
    server: Registry,
    signer: Arc<Signer>,
}

struct Signer {
    directory: TempDir,
    /// The certificate as the header of a token names it.
    certificate: String,
    serial: AtomicU64,
}

impl TokenServer {
    /// With a key of its own.
    pub(crate) fn start() -> Self {
        let signer = Arc::new(Signer::new());
        let server = Registry::start();
        server.on_each(get("/token").repeatedly(), {
            let signer = Arc::clone(&signer);
            move |request| {
                let token = signer.token(&request.query("scope"));
                Answer::ok(json!({"token": token, "expires_in": 300}).to_string())
                    .header("Content-Type", "application/json")
            }
        });
        Self { server, signer }
    }

    /// Where tokens are asked for.
    pub(crate) fn realm(&self) -> String {
        self.server.at("/token").replace("127.0.0.1", "localhost")
    }

    /// Where this server is: `http://127.0.0.1:port`.
    pub(crate) fn origin(&self) -> String {
        self.server.at("")
    }

    /// A token for this scope, without being asked over the network.
    pub(crate) fn token(&self, scope: &str) -> String {
        self.signer.token(&[scope.to_owned()])
    }

    /// What each request so far was sent with.
    pub(crate) fn authorizations(&self) -> Vec<Option<String>> {
        self.server
            .requests()
            .iter()
            .map(|request| request.header("Authorization").map(str::to_owned))
            .collect()
    }

    /// The certificate that a registry must trust.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.signer.certificate_file()
    }

    /// The scopes that were asked for so far, in order.
    pub(crate) fn scopes(&self) -> Vec<String> {
        self.server
            .requests()
            .iter()
            .map(|request| request.query("scope").join(" "))
            .collect()
    }
}

impl Signer {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        program::run(
            Command::new("openssl")
                .args([
                    "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                ])
                .args(["-subj", "/CN=tests", "-keyout", "key.pem", "-out"])
                .arg("certificate.pem")
                .current_dir(directory.path()),
        );
        let pem = fs::read_to_string(directory.path().join("certificate.pem")).unwrap();
        let certificate = pem.lines().filter(|line| !line.starts_with('-')).collect();
        Self {
            directory,
            certificate,
            serial: AtomicU64::new(0),
        }
    }

    fn certificate_file(&self) -> PathBuf {
        self.directory.path().join("certificate.pem")
    }

    /// A JSON web token (RFC 7519) that grants these scopes.
    fn token(&self, scopes: &[String]) -> String {
        let access: Vec<Value> = scopes
            .iter()
            .flat_map(|scopes| scopes.split(' '))
            .filter_map(|scope| {
                let (kind, rest) = scope.split_once(':')?;
                let (name, actions) = rest.rsplit_once(':')?;
                let actions: Vec<&str> = actions.split(',').collect();
                Some(json!({"type": kind, "name": name, "actions": actions}))
            })
            .collect();
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        let header = json!({"typ": "JWT", "alg": "RS256", "x5c": [self.certificate]});
        let claims = json!({
            "iss": NAME, "aud": NAME, "sub": "", "jti": serial.to_string(),
            "iat": now, "nbf": now - 60, "exp": now + 300, "access": access,
        });
        let signed = [header, claims]
            .map(|part| URL_SAFE_NO_PAD.encode(part.to_string()))
            .join(".");
        let signature = self.sign(&signed, serial);
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn sign(&self, text: &str, serial: u64) -> Vec<u8> {
        let path: &Path = &self.directory.path().join(serial.to_string());
        fs::write(path, text).unwrap();
        program::run(
            Command::new("openssl")
                .args(["dgst", "-sha256", "-sign", "key.pem"])
                .arg(path)
                .current_dir(self.directory.path()),
        )
    }
}
