//! tinyproxy, a forward proxy: requests for plain http, and tunnels for https. It alone knows where the registries are,
//! so that what arrives there came through it.

use std::fs;

use super::host::Host;
use super::server::Server;

/// The port at which it listens.
pub(crate) const PORT: u16 = 3128;

/// The proxy.
pub(crate) struct Tinyproxy {
    server: Server,
}

impl Tinyproxy {
    /// On a host, for everybody or for one user, with names that only it can resolve.
    pub(crate) fn start(host: &Host, names: &[&str], user: Option<(&str, &str)>) -> Self {
        let directory = host.directory();
        let auth = user.map_or_else(String::new, |(name, password)| {
            format!("BasicAuth {name} {password}\n")
        });
        let config = directory.join("tinyproxy.conf");
        let text = format!("Port {PORT}\nListen 127.0.0.1\nTimeout 60\nLogLevel Connect\n{auth}");
        fs::write(&config, text).unwrap();
        let mut command = host.command_knowing(names, "exec tinyproxy -d -c \"$1\"");
        command.arg(config);
        let server = Server::start(&mut command, &directory.join("proxy.log"), || {
            host.listens(PORT)
        });
        Self { server }
    }

    /// The requests so far, as they were made: `CONNECT registry.test:443 HTTP/1.1`. It writes them down before it
    /// does anything for them.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.server
            .log()
            .lines()
            .filter_map(|line| {
                let (_, request) = line.split_once("Request (file descriptor ")?;
                Some(request.split_once("): ")?.1.to_owned())
            })
            .collect()
    }

    /// Everything that it says.
    pub(crate) fn log(&self) -> String {
        self.server.log()
    }
}
