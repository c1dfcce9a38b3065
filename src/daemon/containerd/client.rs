//! The connection to containerd: which server listens, which snapshotter unpacks images, and calls with their errors.
//!
//! Source: containerd 1.6, `services/`, `namespaces/grpc.go` and `leases/grpc.go` for the headers, and `client.go` for
//! the default snapshotter.

use std::path::{Path, PathBuf};
use std::time::Duration;

use prost::Message;

use super::error::Error;
use super::messages::{Empty, Filters, ImageFileSystems, Named, NamespaceAnswer, Plugin, Plugins};
use super::namespace::Namespace;
use super::snapshotter;
use crate::daemon::message::DaemonMessage;
use crate::http::GrpcError;
use crate::http::grpc::{Channel, Code, Receiver};
use crate::http::retry::{Backoff, Failure, Policy};
use crate::oci::platform::Platform;

/// The limit in bytes for answers about one object, or a few.
pub(super) const SMALL: usize = 4 << 20;
/// The limit in bytes for lists, and for pieces of content. containerd sends no message of more than 16 MiB.
pub(super) const LARGE: usize = 16 << 20;
/// The snapshotter that containerd's clients use by default on Linux.
const DEFAULT_SNAPSHOTTER: &str = "overlayfs";
/// The label of a namespace that names its default snapshotter.
const SNAPSHOTTER_LABEL: &str = "containerd.io/defaults/snapshotter";
const NAMESPACE_HEADER: &str = "containerd-namespace";
const LEASE_HEADER: &str = "containerd-lease";

/// Where containerd is, and how it is used.
#[derive(Clone, Debug)]
pub struct ContainerdOptions {
    /// The socket.
    pub socket: PathBuf,
    /// The namespace of the images.
    pub namespace: Namespace,
    /// The snapshotter that unpacks images. The default is that of pods in the namespace of Kubernetes, and otherwise that
    /// of the namespace.
    pub snapshotter: Option<String>,
    /// The time within which the server must answer first.
    pub timeout: Duration,
    /// How often a connection is tried again.
    pub policy: Policy,
}

/// A connection to containerd.
#[derive(Clone, Debug)]
pub struct Containerd {
    channel: Channel,
    namespace: Namespace,
    /// The snapshotter that the user named.
    wanted: Option<String>,
    /// Empty until a load chooses it.
    snapshotter: String,
    platform: Platform,
}

impl Containerd {
    /// Connects.
    pub async fn connect(options: ContainerdOptions) -> Result<Self, Error> {
        let ContainerdOptions {
            socket,
            namespace,
            snapshotter,
            timeout,
            policy,
        } = options;
        let mut backoff = Backoff::new(policy);
        let channel = loop {
            let opened = tokio::time::timeout(timeout, open(&socket)).await;
            let outcome = opened.unwrap_or_else(|_| {
                Err(Error::Silent {
                    socket: socket.clone(),
                    seconds: timeout.as_secs(),
                })
            });
            let failure = match &outcome {
                Err(error @ Error::Connect { source, .. }) if !error.is_denied() => {
                    Some(Failure::new(format!("{error}: {source}")))
                }
                _ => None,
            };
            if !backoff.pause(failure, None).await {
                break outcome?;
            }
        };
        Ok(Self {
            channel: with(&channel, NAMESPACE_HEADER, namespace.as_str())?,
            namespace,
            wanted: snapshotter,
            snapshotter: String::new(),
            platform: Platform::of_this_machine(),
        })
    }

    /// Returns the namespace.
    #[must_use]
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// Returns the name of the snapshotter.
    pub(super) fn snapshotter(&self) -> &str {
        &self.snapshotter
    }

    /// Returns the platform for which the snapshotter unpacks images.
    pub(super) fn platform(&self) -> &Platform {
        &self.platform
    }

    /// Returns the same connection with a lease, which keeps everything that calls create and read.
    pub(super) fn with_lease(&self, id: &str) -> Result<Self, Error> {
        Ok(Self {
            channel: with(&self.channel, LEASE_HEADER, id)?,
            ..self.clone()
        })
    }

    /// Returns the channel, for streams.
    pub(super) fn channel(&self) -> &Channel {
        &self.channel
    }

    /// Calls a method. `what` completes "cannot …".
    pub(super) async fn call<A: Message + Default>(
        &self,
        what: &str,
        method: &str,
        request: &impl Message,
    ) -> Result<A, Error> {
        let answer = self.channel.call(method, request, LARGE).await;
        answer.map_err(|error| failed(what, error))
    }

    /// Calls a method that answers with several messages.
    pub(super) async fn ask<A: Message + Default>(
        &self,
        what: &str,
        method: &str,
        request: &impl Message,
    ) -> Result<Receiver<A>, Error> {
        let answers = self.channel.ask(method, request, LARGE).await;
        answers.map_err(|error| failed(what, error))
    }

    /// Returns the same connection with the snapshotter for a load. Checks that containerd has it, and that it works.
    pub(super) async fn with_snapshotter(&self) -> Result<Self, Error> {
        let request = Filters {
            filters: vec!["type==io.containerd.snapshotter.v1".to_owned()],
        };
        let what = "list the snapshotters of containerd";
        let method = "/containerd.services.introspection.v1.Introspection/Plugins";
        let Plugins { plugins } = self.call(what, method, &request).await?;
        let known = match &self.wanted {
            None if self.namespace.is_of_kubernetes() => {
                self.snapshotter_of_kubernetes(&plugins).await?
            }
            wanted => wanted.clone(),
        };
        let name = match known {
            Some(name) => name,
            None => self.default_snapshotter().await?,
        };
        Ok(Self {
            platform: snapshotter::platform_of(&plugins, &name)?,
            snapshotter: name,
            ..self.clone()
        })
    }

    /// Returns the snapshotter of pods, if containerd serves Kubernetes' runtime interface. That names only a directory,
    /// and the first is the one of images.
    ///
    /// Source: cri-api, `runtime/v1/api.proto`; containerd 1.6, `pkg/cri/server/imagefs_info.go`.
    async fn snapshotter_of_kubernetes(&self, plugins: &[Plugin]) -> Result<Option<String>, Error> {
        let what = "ask for the snapshotter of pods";
        let method = "/runtime.v1.ImageService/ImageFsInfo";
        let answer = self.call::<ImageFileSystems>(what, method, &Empty {}).await;
        let directory = match answer {
            Ok(ImageFileSystems { file_systems }) => {
                let first = file_systems.into_iter().next();
                first.and_then(|first| first.directory)
            }
            // The interface is disabled or not ready.
            Err(Error::Refused { .. }) => None,
            Err(error) => return Err(error),
        };
        let name =
            directory.and_then(|directory| snapshotter::of_directory(plugins, &directory.name));
        Ok(name.map(str::to_owned))
    }

    async fn default_snapshotter(&self) -> Result<String, Error> {
        let request = Named {
            name: self.namespace.to_string(),
        };
        let method = "/containerd.services.namespaces.v1.Namespaces/Get";
        let answer = self
            .call::<NamespaceAnswer>("read the namespace", method, &request)
            .await;
        let labels = match answer {
            Ok(answer) => answer.namespace.unwrap_or_default().labels,
            // containerd creates a namespace with its first object.
            Err(error) if error.code() == Some(Code::NotFound) => {
                return Ok(DEFAULT_SNAPSHOTTER.to_owned());
            }
            Err(error) => return Err(error),
        };
        let label = labels.get(SNAPSHOTTER_LABEL);
        Ok(label.map_or(DEFAULT_SNAPSHOTTER, String::as_str).to_owned())
    }
}

/// Connects, and checks that the server is containerd.
async fn open(socket: &Path) -> Result<Channel, Error> {
    let other = |source| match source {
        GrpcError::Connect(source) => Error::Connect {
            socket: socket.to_owned(),
            source,
        },
        source => Error::OtherServer {
            socket: socket.to_owned(),
            source,
        },
    };
    let channel = Channel::connect(socket).await.map_err(other)?;
    let method = "/containerd.services.version.v1.Version/Version";
    match channel.call::<Empty>(method, &Empty {}, SMALL).await {
        Ok(Empty {}) => Ok(channel),
        Err(error) if error.is_other_protocol() => Err(other(error)),
        Err(error) => Err(failed("read the version of containerd", error)),
    }
}

fn with(channel: &Channel, name: &'static str, value: &str) -> Result<Channel, Error> {
    let channel = channel.with(name, value);
    channel.map_err(|error| failed("use containerd", error))
}

/// Returns the error of a call.
pub(super) fn failed(what: &str, error: GrpcError) -> Error {
    let what = what.to_owned();
    match error {
        GrpcError::Status(status) => Error::Refused {
            what,
            code: status.code,
            message: DaemonMessage::new(&status.message),
        },
        source => Error::Call { what, source },
    }
}

/// Returns `None` instead of an error that states that the object does not exist.
pub(super) fn if_present<T>(outcome: Result<T, Error>) -> Result<Option<T>, Error> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.code() == Some(Code::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}
