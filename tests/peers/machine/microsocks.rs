//! microsocks, a SOCKS 5 proxy. It alone knows where the registries are, so that what arrives there came through it.

use super::host::Host;
use super::server::Server;

/// The port at which it listens.
pub(crate) const PORT: u16 = 1080;

/// The proxy.
pub(crate) struct Microsocks {
    server: Server,
}

impl Microsocks {
    /// On a host, with names that only it can resolve.
    pub(crate) fn start(host: &Host, names: &[&str]) -> Self {
        let script = format!("exec microsocks -i 127.0.0.1 -p {PORT}");
        let server = Server::start(
            &mut host.command_knowing(names, &script),
            &host.directory().join("socks.log"),
            || host.listens(PORT),
        );
        Self { server }
    }

    /// Where it was asked to connect to so far, as it was asked: `registry.test:443`.
    pub(crate) fn targets(&self) -> Vec<String> {
        let log = self.server.log();
        let lines = log.lines();
        lines
            .filter_map(|line| Some(line.split_once(": connected to ")?.1.to_owned()))
            .collect()
    }
}
