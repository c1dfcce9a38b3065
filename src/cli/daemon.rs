//! Finds the daemon that arguments and environment name, and connects to it.
//!
//! Source: docker/cli, `cli/command/cli.go`: `DOCKER_HOST` comes before `DOCKER_CONTEXT`, and that before the
//! current context.

use std::path::PathBuf;
use std::sync::Arc;

use super::args::DaemonArgs;
#[cfg(feature = "containerd")]
use super::containerd::{self, ContainerdArgs};
use super::environment::{self, Environment};
use super::{Context, Error, transport};
#[cfg(feature = "containerd")]
use hocker::daemon::containerd::Containerd;
use hocker::daemon::state::State;
use hocker::daemon::{Address, Daemon, Endpoint, TlsFiles, context};
use hocker::printable::Printable;

/// A daemon of either kind of API.
pub(super) enum Connection {
    Docker(Box<Daemon>),
    #[cfg(feature = "containerd")]
    Containerd(Box<Containerd>),
}

/// Connects to the daemon. `snapshotter` is for containerd alone.
#[cfg(feature = "containerd")]
pub(super) async fn connect(
    args: DaemonArgs,
    snapshotter: Option<String>,
    context: &Context,
) -> Result<Connection, Error> {
    let endpoint = endpoint(args.host, &context.environment)?;
    let args = ContainerdArgs {
        namespace: args.namespace,
        snapshotter,
    };
    if let Address::Containerd(socket) = endpoint.address {
        let containerd = containerd::connect(socket, args, context).await?;
        return Ok(Connection::Containerd(Box::new(containerd)));
    }
    args.require_none()?;
    let daemon = connect_to(endpoint, context).await?;
    Ok(Connection::Docker(Box::new(daemon)))
}

/// Connects to the daemon.
#[cfg(not(feature = "containerd"))]
pub(super) async fn connect(args: DaemonArgs, context: &Context) -> Result<Connection, Error> {
    let endpoint = endpoint(args.host, &context.environment)?;
    let daemon = connect_to(endpoint, context).await?;
    Ok(Connection::Docker(Box::new(daemon)))
}

async fn connect_to(endpoint: Endpoint, context: &Context) -> Result<Daemon, Error> {
    let settings = transport::settings(context)?;
    // The bundle that the environment names is read only for TLS.
    let roots = || transport::roots(&context.environment, false);
    Ok(Daemon::connect(endpoint, roots, settings).await?)
}

/// Opens the record of loaded images in a directory. If another process holds its lock, a line reports the wait.
pub(super) fn state(directory: PathBuf, context: &Context) -> State {
    let display = context.display.clone();
    State::new(
        directory,
        Arc::new(move |held| display.line(&Printable::new(&held.to_string()))),
    )
}

/// Finds the address of the daemon.
fn endpoint(host: Option<Address>, environment: &Environment) -> Result<Endpoint, Error> {
    let directory = environment
        .path(environment::DOCKER_CONFIG)
        .or_else(|| Some(environment.path(environment::HOME)?.join(".docker")));
    let named = match host {
        Some(address) => Some(address),
        None => environment
            .var(environment::DOCKER_HOST)
            .map(|text| text.parse())
            .transpose()
            .map_err(
                |error: hocker::daemon::address::ParseError| Error::Environment {
                    name: environment::DOCKER_HOST,
                    reason: error.to_string(),
                },
            )?,
    };
    if let Some(address) = named {
        let tls = tls(&address, directory, environment);
        return Ok(Endpoint { address, tls });
    }
    let of_context = match directory {
        Some(directory) => {
            let name = environment.var(environment::DOCKER_CONTEXT);
            context::find(&directory, name.as_deref())?
        }
        None => None,
    };
    Ok(of_context.unwrap_or_default())
}

/// Returns the certificates for a daemon on a TCP port, as `DOCKER_TLS_VERIFY` and `DOCKER_CERT_PATH` select them.
fn tls(
    address: &Address,
    configuration: Option<PathBuf>,
    environment: &Environment,
) -> Option<TlsFiles> {
    let Address::Port(url) = address else {
        return None;
    };
    let wanted =
        environment.var(environment::DOCKER_TLS_VERIFY).is_some() || url.scheme() == "https";
    let directory = environment
        .path(environment::DOCKER_CERT_PATH)
        .or(configuration)?;
    wanted.then(|| TlsFiles::in_directory(&directory))
}
