//! Connects to containerd, and does with it what `daemon` and its users do with other daemons.
//!
//! Sources: containerd, `cmd/ctr/app/main.go`; nerdctl, `docs/config.md`, for the variables.

use std::path::PathBuf;

use super::environment::{self, Environment};
use super::{Context, Error, transport};
use hocker::daemon::containerd::{Containerd, ContainerdOptions, Namespace};

/// The default socket of containerd.
const DEFAULT_SOCKET: &str = "/run/containerd/containerd.sock";

/// The arguments that only containerd has.
#[derive(Debug, Default)]
pub(super) struct ContainerdArgs {
    pub(super) namespace: Option<Namespace>,
    pub(super) snapshotter: Option<String>,
}

impl ContainerdArgs {
    /// Fails if an argument is given, for a daemon that is not containerd.
    pub(super) fn require_none(&self) -> Result<(), Error> {
        match self {
            Self {
                namespace: None,
                snapshotter: None,
            } => Ok(()),
            Self {
                namespace: Some(_), ..
            } => Err(Error::OnlyContainerd("--namespace")),
            Self { .. } => Err(Error::OnlyContainerd("--snapshotter")),
        }
    }
}

/// Connects to containerd at this socket, or at the one that the environment names.
pub(super) async fn connect(
    socket: Option<PathBuf>,
    args: ContainerdArgs,
    context: &Context,
) -> Result<Containerd, Error> {
    let environment = &context.environment;
    let socket = match socket {
        Some(socket) => socket,
        None => default_socket(environment)?,
    };
    let settings = transport::settings(context)?;
    let options = ContainerdOptions {
        namespace: match args.namespace {
            Some(namespace) => namespace,
            None => namespace(environment)?.unwrap_or_else(|| Namespace::of_socket(&socket)),
        },
        snapshotter: args
            .snapshotter
            .or_else(|| environment.var(environment::CONTAINERD_SNAPSHOTTER)),
        socket,
        timeout: settings.stall_timeout,
        policy: settings.policy,
    };
    let connected = Containerd::connect(options).await;
    connected.map_err(|error| Error::Daemon(Box::new(error).into()))
}

/// Returns the socket that the environment names. nerdctl accepts a URL, too.
fn default_socket(environment: &Environment) -> Result<PathBuf, Error> {
    let Some(named) = environment.path(environment::CONTAINERD_ADDRESS) else {
        return Ok(DEFAULT_SOCKET.into());
    };
    let path = match named.to_str().and_then(|text| text.strip_prefix("unix://")) {
        Some(path) => path.into(),
        None => named,
    };
    if path.is_absolute() {
        return Ok(path);
    }
    Err(Error::Environment {
        name: environment::CONTAINERD_ADDRESS,
        reason: "the value must be the absolute path of a socket".to_owned(),
    })
}

fn namespace(environment: &Environment) -> Result<Option<Namespace>, Error> {
    let named = environment.var(environment::CONTAINERD_NAMESPACE);
    let parsed = named.map(|text| text.parse()).transpose();
    parsed.map_err(
        |error: hocker::daemon::containerd::NamespaceError| Error::Environment {
            name: environment::CONTAINERD_NAMESPACE,
            reason: error.to_string(),
        },
    )
}
