//! The program's error, which wraps the errors of all modules. `exit_code` maps each to an exit code, and `hint` to a
//! hint.

mod daemon_hint;
mod denial;
mod exit_code;
mod hint;
mod registry_hint;

use std::io;
use std::path::{Path, PathBuf};

use self::denial::Denial;
use super::diff::DiffError;
use super::exit::Exit;
use super::lock::LockError;
use hocker::archive::plain_layer::LayerError;
use hocker::archive::stored_image;
use hocker::auth::sources;
use hocker::http::{self, RootsError};
use hocker::name::endpoint;
use hocker::oci::document::ParseError;
use hocker::pin;
use hocker::pull;
use hocker::registry::{self, Cause, DownloadError};
use hocker::{archive, daemon, erofs, name, nix, output, serve, verify};

/// The failure of a command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The name of an image is not a reference.
    #[error("cannot parse the image name `{image}`")]
    Reference {
        /// The name from the command line.
        image: String,
        /// The error of the parser.
        #[source]
        source: name::ParseError,
    },
    /// The URL or the name of a registry gives no endpoint.
    #[error("cannot parse the address of the registry")]
    Endpoint(#[from] endpoint::ParseError),
    /// An environment variable has a wrong value.
    #[error("cannot use the environment variable {name}: {reason}")]
    Environment {
        /// The name of the variable.
        name: &'static str,
        /// What is wrong with the value.
        reason: String,
    },
    /// A user name was given without a password.
    #[error("cannot use --username without --password-stdin or --password")]
    PasswordMissing,
    /// Two options read standard input.
    #[error("cannot combine --password-stdin with `--manifest -`: both read standard input")]
    TwoFromStdin,
    /// An option for containerd was given for another daemon.
    #[cfg(feature = "containerd")]
    #[error("cannot use {0} with a daemon that is not containerd")]
    OnlyContainerd(&'static str),
    /// A tag or a registry was given for an image on disk.
    #[error("cannot use TAG or --registry with an image on disk")]
    RegistryOfPath,
    /// A name was given for several images.
    #[error("cannot give one name to several images: {}", images.join(", "))]
    TagsOfSeveral {
        /// The names of the images, or the digests of those without a name.
        images: Vec<String>,
    },
    /// `--image` was given for an image in a registry.
    #[error("cannot use --image with an image in a registry")]
    NameOfReference,
    /// `--force` was given for a directory, and hocker replaces no directory.
    #[error(
        "cannot use --force with --format oci-dir or erofs-dir: hocker does not replace directories"
    )]
    ForceDirectory,
    /// Mount points were given for a format that is not a file system.
    #[error("cannot add mount points to an image in this format")]
    MountPointsOfFormat,
    /// A directory cannot be written to standard output.
    #[error("cannot write a directory to standard output")]
    DirectoryToStdout,
    /// A source of credentials cannot be used.
    #[error("cannot read the credentials")]
    Credentials(#[from] sources::Error),
    /// A denial, after sources of credentials failed.
    #[error(transparent)]
    Denial(Box<Denial>),
    /// The bundle of certificate authorities cannot be used.
    #[error("cannot read the certificate authorities")]
    Roots(#[from] RootsError),
    /// The HTTP client cannot be created.
    #[error("cannot create the HTTP client")]
    Http(#[from] http::Error),
    /// An operation with a registry failed.
    #[error(transparent)]
    Registry(Box<registry::Error>),
    /// A document that is not from a registry, or contradicts another document.
    #[error("cannot use {what}")]
    Document {
        /// The document, in words.
        what: String,
        /// The error of the parser.
        #[source]
        source: ParseError,
    },
    /// An image on disk cannot be used.
    #[error("cannot use the image")]
    StoredImage(#[source] Box<stored_image::Error>),
    /// The file system of an image cannot be written.
    #[error("cannot write the file system of {}", image.display())]
    Rootfs {
        /// The image.
        image: PathBuf,
        /// The cause.
        #[source]
        source: Box<erofs::RootfsError>,
    },
    /// An image that is no service.
    #[error("cannot make a service of {}", image.display())]
    Service {
        /// The image.
        image: PathBuf,
        /// The cause.
        #[source]
        source: nix::service::Error,
    },
    /// An image cannot be mounted or unmounted.
    #[cfg(target_os = "linux")]
    #[error(transparent)]
    Mount(Box<hocker::mount::Error>),
    /// No directory for file system images is known.
    #[cfg(target_os = "linux")]
    #[error("cannot find a directory for file system images of layers")]
    NoCache,
    /// An image cannot be pulled.
    #[error(transparent)]
    Pull(pull::Error),
    /// A blob that no location supplies.
    #[error(transparent)]
    AllLocations(nix::builder::AllLocationsFailed),
    /// An image that no Nix expression can name.
    #[error("cannot write a Nix expression for the image")]
    Expression(#[from] nix::expression::Error),
    /// Images that cannot be served.
    #[error("cannot serve the images")]
    Images(#[source] Box<serve::Error>),
    /// The server cannot start.
    #[error("cannot serve the images")]
    Server(#[from] serve::ServerError),
    /// The docker context that names the daemon cannot be used.
    #[error("cannot find the address of the daemon")]
    DaemonContext(#[from] daemon::context::Error),
    /// An operation of a daemon failed.
    #[error(transparent)]
    Daemon(#[from] daemon::Error),
    /// An image cannot be loaded into a daemon.
    #[error("cannot load the image {}", path.display())]
    Load {
        /// The path of the image.
        path: PathBuf,
        /// The failure.
        #[source]
        source: Box<daemon::load::Error>,
    },
    /// Images cannot be removed from a daemon.
    #[error("cannot remove all images that are no longer wanted")]
    Prune(#[from] daemon::prune::Error),
    /// An output file or directory cannot be written.
    #[error(transparent)]
    Output(#[from] output::Error),
    /// A layer cannot be converted.
    #[error("cannot convert {layer}")]
    Erofs {
        /// The layer.
        layer: String,
        /// The reason.
        #[source]
        source: Box<erofs::Error>,
    },
    /// An image cannot be pinned.
    #[error(transparent)]
    Pin(pin::Error),
    /// A lock file or its source cannot be used.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// Images or lock files cannot be compared.
    #[error(transparent)]
    Diff(#[from] DiffError),
    /// One image cannot be locked, updated or checked.
    #[error("cannot {operation} {what}")]
    LockedImage {
        /// The verb for the operation.
        operation: &'static str,
        /// The name and the reference of the image.
        what: String,
        /// The failure.
        #[source]
        source: Box<Self>,
    },
    /// Several images failed; the others were written.
    #[error("{} images failed", .0.len())]
    Several(Vec<Self>),
    /// The archive of an image in the store cannot be streamed.
    #[error("cannot stream the image")]
    Composite(#[from] archive::docker_save::Error),
    /// A derivation has wrong attributes.
    #[error("cannot read the derivation")]
    Job(#[from] nix::builder::Error),
    /// An error of a Nix build, which has other hints.
    #[error(transparent)]
    Build(Box<Error>),
    /// A failure to fetch an image whose name is also that of a file or directory, which has another hint.
    #[error(transparent)]
    AlsoOnDisk(Box<Error>),
    /// The result of fetchdocker cannot be built.
    #[error("cannot build the image")]
    BuildImage(#[source] Box<nix::image::Error>),
    /// The store of podman cannot be built.
    #[error("cannot build the store for podman")]
    BuildStore(#[source] Box<nix::podman_store::Error>),
    /// Standard output cannot be written.
    #[error("cannot write to standard output")]
    Stdout(#[source] io::Error),
    /// An input file or standard input cannot be read.
    #[error("cannot read {what}")]
    Input {
        /// The input, in words.
        what: String,
        /// The failure.
        #[source]
        source: io::Error,
    },
    /// The threads cannot be started.
    #[error("cannot start the threads of the program")]
    Runtime(#[source] io::Error),
    /// A task ended without a result.
    #[error("cannot finish the work")]
    Task(#[source] tokio::task::JoinError),
    /// A signal, by its number.
    #[error("interrupted")]
    Interrupted(i32),
}

impl From<registry::Error> for Error {
    fn from(error: registry::Error) -> Self {
        Self::Registry(Box::new(error))
    }
}

impl From<pin::Error> for Error {
    fn from(error: pin::Error) -> Self {
        match error {
            pin::Error::Registry(error) => Self::Registry(error),
            error => Self::Pin(error),
        }
    }
}

impl From<pin::ProofsError> for Error {
    fn from(error: pin::ProofsError) -> Self {
        match error {
            pin::ProofsError::Registry(error) => Self::Registry(error),
            error => Self::Lock(LockError::Unproven(error)),
        }
    }
}

impl From<pull::Error> for Error {
    fn from(error: pull::Error) -> Self {
        match error {
            pull::Error::Registry(error) => Self::Registry(error),
            pull::Error::StoredImage(error) => Self::StoredImage(error),
            pull::Error::Output(error) => Self::Output(error),
            error => Self::Pull(error),
        }
    }
}

#[cfg(target_os = "linux")]
impl From<hocker::mount::Error> for Error {
    fn from(error: hocker::mount::Error) -> Self {
        Self::Mount(Box::new(error))
    }
}

impl From<stored_image::Error> for Error {
    fn from(error: stored_image::Error) -> Self {
        Self::StoredImage(Box::new(error))
    }
}

impl From<nix::image::Error> for Error {
    fn from(error: nix::image::Error) -> Self {
        Self::BuildImage(Box::new(error))
    }
}

impl From<nix::podman_store::Error> for Error {
    fn from(error: nix::podman_store::Error) -> Self {
        Self::BuildStore(Box::new(error))
    }
}

impl Error {
    /// Notes if the name of an image that cannot be fetched is also that of a file or directory: the user may have
    /// forgotten `./`.
    pub(super) fn of_name(self, name: &str) -> Self {
        let is_about_name = matches!(
            self.exit(),
            Exit::NotFound | Exit::Denied | Exit::Unavailable
        );
        if is_about_name && Path::new(name).exists() {
            Self::AlsoOnDisk(Box::new(self))
        } else {
            self
        }
    }

    /// The error of a download to `path`.
    pub(super) fn of_download(error: DownloadError, path: &Path) -> Self {
        match error {
            DownloadError::Registry(error) => Self::Registry(error),
            DownloadError::Destination(source) => output::Error::write(path, source).into(),
        }
    }
}

impl From<serve::Error> for Error {
    fn from(error: serve::Error) -> Self {
        Self::Images(Box::new(error))
    }
}

impl Error {
    /// Returns causes beside the chain of sources: the failures of several locations, or of sources of credentials.
    #[must_use]
    pub(crate) fn reasons(&self) -> Vec<String> {
        match self {
            Self::Build(error) | Self::AlsoOnDisk(error) => error.reasons(),
            Self::Denial(denial) => {
                let mut reasons = denial.error.reasons();
                reasons.extend(denial.failed_sources.iter().cloned());
                reasons
            }
            Self::AllLocations(error) => error.lines().collect(),
            _ => Vec::new(),
        }
    }

    /// Returns the expected and the actual digest, if a digest mismatch is among the causes.
    #[must_use]
    pub(crate) fn mismatch(&self) -> Option<&verify::Mismatch> {
        let first: &(dyn std::error::Error + 'static) = match self {
            Self::Build(error) | Self::AlsoOnDisk(error) => return error.mismatch(),
            Self::Denial(denial) => return denial.error.mismatch(),
            Self::AllLocations(error) => error.most_important()?,
            Self::Erofs { source, .. } | Self::Pull(pull::Error::Erofs { source, .. }) => &**source,
            error => error,
        };
        let mut causes = std::iter::successors(Some(first), |error| error.source());
        causes.find_map(|error| match content_error(error)? {
            verify::Error::Digest(mismatch) => Some(&**mismatch),
            _ => None,
        })
    }
}

/// Returns the verifier's error inside an error. A transparent error does not return it as its source.
fn content_error<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a verify::Error> {
    if let Some(Cause::Verify(error)) = error.downcast_ref() {
        return Some(error);
    }
    if let Some(LayerError::Content(error)) = error.downcast_ref() {
        return Some(error);
    }
    if let Some(erofs::Error::Layer(LayerError::Content(error))) = error.downcast_ref() {
        return Some(error);
    }
    error.downcast_ref()
}
