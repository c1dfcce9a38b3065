//! The program's errors: what each module's error means for the exit code, and what the user can do.

mod daemon_hint;
mod denial;
mod hint;

use std::io;
use std::path::{Path, PathBuf};

use self::denial::Denial;
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
use hocker::{archive, daemon, name, nix, output, serve, verify};

/// Why a command did not do what it should.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The name of an image makes no sense.
    #[error("cannot read the image name `{image}`")]
    Reference {
        /// What was given.
        image: String,
        /// What is wrong with it.
        #[source]
        source: name::ParseError,
    },
    /// The place of a registry makes no sense.
    #[error("cannot tell where the registry is")]
    Endpoint(#[from] endpoint::ParseError),
    /// A variable that makes no sense.
    #[error("the environment variable {name} cannot be used: {reason}")]
    Environment {
        /// Its name.
        name: &'static str,
        /// What it should be.
        reason: String,
    },
    /// A user's name without a password.
    #[error("--username needs --password-stdin or --password")]
    PasswordMissing,
    /// Standard input cannot hold two things.
    #[error("--password-stdin and --manifest - both want standard input")]
    TwoFromStdin,
    /// A file has no registry.
    #[error("an image on disk has no TAG and no --registry; --image chooses one of several")]
    RegistryOfPath,
    /// A registry's images have names already.
    #[error("--image chooses from an image layout on disk; a path begins with / or ./ or ../")]
    NameOfReference,
    /// Directories are not replaced.
    #[error("--force replaces a file, and --format oci-dir writes a directory")]
    ForceDirectory,
    /// A directory cannot be written to a pipe.
    #[error("--format oci-dir writes a directory, which --out must name")]
    DirectoryToStdout,
    /// Credentials that are somewhere, but cannot be had.
    #[error("cannot authenticate")]
    Credentials(#[from] sources::Error),
    /// A denial, after places where credentials may be gave no answer.
    #[error(transparent)]
    Denial(Box<Denial>),
    /// The bundle of certificate authorities.
    #[error("cannot verify registries")]
    Roots(#[from] RootsError),
    /// HTTP cannot be set up.
    #[error("cannot talk to registries")]
    Http(#[from] http::Error),
    /// The registry.
    #[error(transparent)]
    Registry(Box<registry::Error>),
    /// A document that did not come from a registry, or contradicts another.
    #[error("cannot use {what}")]
    Document {
        /// Which document.
        what: String,
        /// What is wrong with it.
        #[source]
        source: ParseError,
    },
    /// An image on disk.
    #[error("cannot use the image")]
    StoredImage(#[source] Box<stored_image::Error>),
    /// An image that cannot be pulled.
    #[error(transparent)]
    Pull(pull::Error),
    /// A blob that none of its places gives.
    #[error(transparent)]
    AllPlaces(nix::builder::AllLocationsFailed),
    /// An image that no Nix expression can name.
    #[error("cannot write a Nix expression for the image")]
    Expression(#[from] nix::expression::Error),
    /// Images that cannot be served.
    #[error("cannot serve the images")]
    Images(#[source] Box<serve::Error>),
    /// The server.
    #[error("cannot serve the images")]
    Server(#[from] serve::ServerError),
    /// A daemon that is not to be found.
    #[error("cannot tell where the daemon is")]
    DaemonContext(#[from] daemon::context::Error),
    /// A daemon.
    #[error(transparent)]
    Daemon(#[from] daemon::Error),
    /// An image that does not get into a daemon.
    #[error("cannot load the image {}", path.display())]
    Load {
        /// Where it is.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<daemon::load::Error>,
    },
    /// Images that do not get out of it.
    #[error("cannot remove all images that are no longer wanted")]
    Prune(#[from] daemon::prune::Error),
    /// An output file or directory.
    #[error(transparent)]
    Output(#[from] output::Error),
    /// An image that cannot be pinned.
    #[error(transparent)]
    Pin(pin::Error),
    /// A lock file, or what is made of one.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// An image that cannot be locked, or looked at.
    #[error("cannot {operation} {what}")]
    LockedImage {
        /// What was attempted.
        operation: &'static str,
        /// The name and the reference.
        what: String,
        /// Why not.
        #[source]
        source: Box<Self>,
    },
    /// Several things failed, and the others were done.
    #[error("{} images failed", .0.len())]
    Several(Vec<Self>),
    /// The archive of an image in the store.
    #[error("cannot stream the image")]
    Composite(#[from] archive::docker_save::Error),
    /// A derivation.
    #[error("cannot tell what to build")]
    Job(#[from] nix::builder::Error),
    /// The same in a Nix build, where other things help.
    #[error(transparent)]
    Build(Box<Error>),
    /// The result of fetchdocker.
    #[error("cannot build the image")]
    BuildImage(#[source] Box<nix::image::Error>),
    /// Standard output.
    #[error("cannot write to standard output")]
    Stdout(#[source] io::Error),
    /// A file or standard input that was named as input.
    #[error("cannot read {what}")]
    Input {
        /// Which.
        what: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// No threads.
    #[error("cannot start")]
    Runtime(#[source] io::Error),
    /// A part of the work ended without a result.
    #[error("a transfer ended early")]
    Task(#[source] tokio::task::JoinError),
    /// A signal.
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

impl Error {
    /// A download for `path`.
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
    /// How the program ends for this.
    #[must_use]
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Reference { .. }
            | Self::Endpoint(_)
            | Self::Environment { .. }
            | Self::PasswordMissing
            | Self::TwoFromStdin
            | Self::RegistryOfPath
            | Self::NameOfReference
            | Self::ForceDirectory
            | Self::DirectoryToStdout => Exit::Usage,
            Self::Denial(denial) => denial.error.exit(),
            Self::Pin(error) => error.class().into(),
            Self::Lock(error) => error.exit(),
            Self::LockedImage { source, .. } => source.exit(),
            Self::Several(errors) => {
                let mut exits = errors.iter().map(Self::exit);
                let first = exits.next().unwrap_or(Exit::Other);
                if exits.all(|exit| exit == first) {
                    first
                } else {
                    Exit::Other
                }
            }
            Self::Registry(error) => error.class().into(),
            Self::AllPlaces(error) => error.class().into(),
            Self::Document { source, .. } => source.class().into(),
            Self::Expression(_) => Exit::Unsupported,
            Self::StoredImage(error) => error.class().into(),
            Self::Images(error) => error.class().into(),
            Self::BuildImage(error) => error.class().into(),
            Self::Daemon(error) => error.class().into(),
            Self::Prune(error) => error.class().into(),
            Self::Load { source, .. } => source.class().into(),
            Self::Output(error) if error.is_closed_pipe() => Exit::Done,
            Self::Stdout(source) if is_closed(source) => Exit::Done,
            Self::Pull(pull::Error::Archive { source, .. })
                if source.io().is_some_and(is_closed) =>
            {
                Exit::Done
            }
            Self::Pull(error) => error.class().into(),
            Self::Composite(source) if source.io().is_some_and(is_closed) => Exit::Done,
            Self::Composite(source) => source.class().into(),
            Self::Build(error) => error.exit(),
            Self::Interrupted(signal) => Exit::Signal(u8::try_from(*signal).unwrap_or(0)),
            Self::Credentials(_)
            | Self::Roots(_)
            | Self::Http(_)
            | Self::Server(_)
            | Self::DaemonContext(_)
            | Self::Output(_)
            | Self::Job(_)
            | Self::Stdout(_)
            | Self::Input { .. }
            | Self::Runtime(_)
            | Self::Task(_) => Exit::Other,
        }
    }

    /// The causes that stand beside each other, where there are such.
    #[must_use]
    pub(crate) fn reasons(&self) -> Vec<String> {
        match self {
            Self::Build(error) => error.reasons(),
            Self::Denial(denial) => {
                let mut reasons = denial.error.reasons();
                reasons.extend(denial.failed_sources.iter().cloned());
                reasons
            }
            Self::AllPlaces(error) => error.lines().collect(),
            _ => Vec::new(),
        }
    }

    /// The digest that was promised and the one that came, where that is what went wrong.
    #[must_use]
    pub(crate) fn mismatch(&self) -> Option<&verify::Mismatch> {
        let first: &(dyn std::error::Error + 'static) = match self {
            Self::Build(error) => return error.mismatch(),
            Self::Denial(denial) => return denial.error.mismatch(),
            Self::AllPlaces(error) => error.most_important()?,
            error => error,
        };
        let mut causes = std::iter::successors(Some(first), |error| error.source());
        causes.find_map(|error| match content_error(error)? {
            verify::Error::Digest(mismatch) => Some(&**mismatch),
            _ => None,
        })
    }
}

/// The error of the verifier in an error. Transparent errors hide it from those who follow the causes.
fn content_error<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a verify::Error> {
    if let Some(Cause::Verify(error)) = error.downcast_ref() {
        return Some(error);
    }
    if let Some(LayerError::Content(error)) = error.downcast_ref() {
        return Some(error);
    }
    error.downcast_ref()
}

/// Whether the reader of the output closed it.
fn is_closed(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe
}
