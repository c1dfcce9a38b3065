//! nginx, as operators put it before registries: TLS, redirects, files.

use std::fs;
use std::net::TcpStream;
use std::process::Command;

use tempfile::TempDir;

use super::server::{Server, free_port};
use crate::support::tls::Identity;

/// One server.
pub(crate) struct Nginx {
    server: Server,
    port: u16,
    directory: TempDir,
}

impl Nginx {
    /// By plain http, with these directives.
    pub(crate) fn start(directives: &str) -> Self {
        Self::configured("", directives)
    }

    /// By https, as `identity`.
    pub(crate) fn start_with_tls(identity: &Identity, directives: &str) -> Self {
        Self::start_secured("ssl", identity, directives)
    }

    /// By https, and by HTTP/2 with clients that want it.
    pub(crate) fn start_with_http2(identity: &Identity, directives: &str) -> Self {
        Self::start_secured("ssl http2", identity, directives)
    }

    fn start_secured(parameters: &str, identity: &Identity, directives: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (certificate, key) = (
            directory.path().join("certificate.pem"),
            directory.path().join("key.pem"),
        );
        fs::write(&certificate, &identity.certificate).unwrap();
        fs::write(&key, &identity.key).unwrap();
        let directives = format!(
            "ssl_certificate {}; ssl_certificate_key {};\n{directives}",
            certificate.display(),
            key.display()
        );
        // nginx reads both before it listens.
        Self::configured(parameters, &directives)
    }

    fn configured(parameters: &str, directives: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        let port = free_port();
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {}/{kind};\n", path.display()))
            .concat();
        let text = format!(
            "daemon off;\nuser root;\nworker_processes 2;\npid {root}/pid;\nevents {{}}\n\
             http {{\n{temporary}\
             log_format seen '$request_method $request_uri $status \"$http_authorization\" \"$http_range\"';\n\
             access_log {root}/access.log seen;\n\
             log_format connections '$server_protocol $connection $request_uri';\n\
             access_log {root}/connections.log connections;\n\
             client_max_body_size 0;\nsendfile on;\n\
             server {{\nlisten 127.0.0.1:{port} {parameters};\n{directives}\n}}\n}}\n",
            root = path.display()
        );
        let config = path.join("nginx.conf");
        fs::write(&config, text).unwrap();
        let server = Server::start(
            Command::new("nginx")
                .args(["-e", "stderr", "-p"])
                .arg(path)
                .arg("-c")
                .arg(&config),
            &path.join("log"),
            || TcpStream::connect(("127.0.0.1", port)).is_ok(),
        );
        Self {
            server,
            port,
            directory,
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// `localhost:port`
    pub(crate) fn name(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// One line a request: method, target, status, `Authorization` and `Range`.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.lines_of("access.log")
    }

    /// One line a request: the protocol, the connection's number, and the target.
    pub(crate) fn connections(&self) -> Vec<String> {
        self.lines_of("connections.log")
    }

    fn lines_of(&self, log: &str) -> Vec<String> {
        let text = fs::read_to_string(self.directory.path().join(log)).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    /// What it has complained about.
    pub(crate) fn log(&self) -> String {
        self.server.log()
    }
}
