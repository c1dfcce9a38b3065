//! Errors of lock files, of the names in them, and of the Compose files that they are made from.

use std::io;
use std::path::PathBuf;

use super::super::Exit;
use hocker::compose;
use hocker::file_lock;
use hocker::lock::{self, Name};
use hocker::name::{self, Reference};
use hocker::oci::digest::Digest;
use hocker::pin;
use hocker::printable::Printable;
use hocker::signature;

/// The failure of a command of `hocker lock`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LockError {
    /// The lock file does not exist.
    #[error("cannot find the lock file {}", .0.display())]
    NoLock(PathBuf),
    /// The lock file cannot be parsed.
    #[error("cannot use the lock file {}", path.display())]
    Parse {
        /// The lock file.
        path: PathBuf,
        /// The error of the parser.
        #[source]
        source: lock::ParseError,
    },
    /// A name breaks the rules for names of images.
    #[error("cannot use the name of an image")]
    Name(#[from] lock::NameError),
    /// No image in the lock file has this name.
    #[error("cannot find the image {name} in {}", path.display())]
    NotLocked {
        /// The name.
        name: Name,
        /// The lock file.
        path: PathBuf,
    },
    /// Another image has this name.
    #[error("cannot name the image `{name}`: {taken_by} has this name")]
    NameTaken {
        /// The name.
        name: Name,
        /// The image that has it.
        taken_by: Box<Reference>,
    },
    /// Another process has changed the same image.
    #[error("cannot change `{name}` in {}: another process has just changed it", path.display())]
    Changed {
        /// The lock file.
        path: PathBuf,
        /// The name of the image.
        name: Name,
    },
    /// Another process keeps the lock file's directory locked.
    #[error(transparent)]
    Held(file_lock::Error),
    /// Images give different sizes for one blob.
    #[error("cannot lock images that contradict each other")]
    Sizes(#[from] lock::SizeError),
    /// The answer of `hocker lock check`: tags have moved.
    #[error("{moved} of {all} images have moved")]
    Moved {
        /// The number of images that have moved.
        moved: usize,
        /// The number of images that were checked.
        all: usize,
    },
    /// The answer of `hocker lock check --available`: registries lack what is pinned.
    #[error("{gone} of {all} pinned digests are gone, of {images} images")]
    Gone {
        /// The number of digests that no repository has.
        gone: usize,
        /// The number of digests that were checked.
        all: usize,
        /// The number of images with one of them.
        images: usize,
    },
    /// An image with a digest follows no pattern.
    #[error("cannot follow a pattern for {0}: an image with a digest never moves")]
    FollowsDigest(String),
    /// A pattern belongs to images.
    #[error("cannot set a pattern without the names of images")]
    FollowWithoutName,
    /// A pattern after the colon of an image is invalid.
    #[error("cannot use the pattern of an image")]
    Pattern(#[from] lock::PatternError),
    /// An image has two patterns.
    #[error("cannot follow two patterns for one image: `{0}` and --follow")]
    TwoPatterns(String),
    /// An image has a tag and a pattern behind it.
    #[error("cannot follow a tag and a pattern for one image: `{0}`")]
    TagAndPattern(String),
    /// Credentials on the command line are for one registry.
    #[error("cannot use the credentials in the arguments for several registries: {}", .0.join(", "))]
    CredentialsForSeveral(Vec<String>),
    /// The file that `--key` names is not a public key.
    #[error("cannot use the public key in {}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// The error of the parser.
        #[source]
        source: signature::KeyError,
    },
    /// A trusted root was given without a signer.
    #[error("cannot use --trusted-root without --signed-by or --key")]
    RootWithoutSigner,
    /// Signatures cannot be verified, or one is not valid.
    #[error("cannot verify the signature")]
    Signature(#[source] signature::Error),
    /// The proofs of an image do not count.
    #[error(transparent)]
    NotProven(lock::NotProven),
    /// A file beside the lock file cannot be read.
    #[error("cannot read {}, which the lock file names", path.display())]
    ProofFile {
        /// The file.
        path: PathBuf,
        /// The failure.
        #[source]
        source: io::Error,
    },
    /// A file beside the lock file has other content.
    #[error("the content of {} is not what the lock file names: its digest is {found}", path.display())]
    ProofChanged {
        /// The file.
        path: PathBuf,
        /// The digest of its content.
        found: Box<Digest>,
    },
    /// The registry has no proof that the signer signed an image.
    #[error(transparent)]
    Unproven(pin::ProofsError),
    /// The image of a service in a Compose file is not a reference.
    #[error("cannot use the image `{written}` of the service {name}")]
    Service {
        /// The name of the service.
        name: Printable,
        /// The image as the file has it, with its variables.
        written: Printable,
        /// The error of the parser. It is absent if the image contains variables: their values are not shown.
        #[source]
        source: Option<name::ParseError>,
    },
    /// The images of a Compose file cannot be read.
    #[error("cannot read the images of {what}")]
    Compose {
        /// The Compose file.
        what: String,
        /// The error of the parser.
        #[source]
        source: compose::Error,
    },
    /// The variables in an environment file cannot be read.
    #[error("cannot read the variables in {}", path.display())]
    Dotenv {
        /// The environment file.
        path: PathBuf,
        /// The error of the parser.
        #[source]
        source: compose::dotenv::Error,
    },
}

impl LockError {
    /// Returns the exit code.
    pub(in crate::cli) fn exit(&self) -> Exit {
        match self {
            Self::Name(_)
            | Self::FollowsDigest(_)
            | Self::FollowWithoutName
            | Self::Pattern(_)
            | Self::TwoPatterns(_)
            | Self::TagAndPattern(_)
            | Self::NameTaken { .. }
            | Self::Service { .. }
            | Self::Key { .. }
            | Self::RootWithoutSigner
            | Self::CredentialsForSeveral(_) => Exit::Usage,
            Self::Signature(error) => error.class().into(),
            Self::NotProven(error) => error.class().into(),
            Self::Unproven(error) => error.class().into(),
            Self::NoLock(_) | Self::NotLocked { .. } => Exit::NotFound,
            Self::Parse { source, .. } => source.class().into(),
            Self::Compose { .. } | Self::Dotenv { .. } => Exit::Unsupported,
            Self::Sizes(_) | Self::ProofFile { .. } | Self::ProofChanged { .. } => Exit::Integrity,
            Self::Changed { .. } | Self::Held(_) | Self::Moved { .. } | Self::Gone { .. } => {
                Exit::Other
            }
        }
    }

    /// Returns an action that the user can take, if there is one.
    pub(in crate::cli) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoLock(_) => {
                Some("create it with `hocker lock add IMAGE`, or name another one with --lock-file")
            }
            Self::Parse { source, .. } => hint_of_lock(source),
            Self::NotLocked { .. } => Some("use one of the names that `hocker lock list` prints"),
            Self::NameTaken { .. } => {
                Some("write NAME=IMAGE to choose another name, or reassign this one with --force")
            }
            Self::Service { source: None, .. } => Some(
                "check the values of its variables; they may be secret, so hocker does not print them",
            ),
            Self::Changed { .. } => Some("try again; nothing was written"),
            Self::Held(_) => Some(
                "end that process, or move the lock file to a directory that other users cannot read; nothing was written",
            ),
            Self::Sizes(_) => {
                Some("find out which of the two manifests is wrong; nothing was written")
            }
            Self::Signature(signature::Error::Unavailable) => {
                Some("use a hocker that is built with the feature `signatures`")
            }
            Self::Unproven(
                pin::ProofsError::Unsigned { .. } | pin::ProofsError::Refused { .. },
            ) => Some(
                "find out who published it; nothing was changed. If you trust a new image of the lock file, follow it \
                 with `hocker lock update --now NAME`",
            ),
            Self::NotProven(lock::NotProven::NoProof) => {
                Some("look for a signature with `hocker lock update NAME`, or remove the image")
            }
            Self::ProofFile { .. } | Self::ProofChanged { .. } => Some(
                "restore the file from version control; if you moved the lock file, move the directory beside it, too. \
                 `hocker lock update` looks for missing signatures again",
            ),
            Self::NotProven(_) => Some(
                "restore the file from version control, or lock the image again with `hocker lock add --force`",
            ),
            Self::Moved { .. } => Some("follow them with `hocker lock update`"),
            Self::Gone { .. } => Some(
                "update these images, or copy them to a registry of your own while a machine still has them",
            ),
            Self::FollowWithoutName => Some("write the names of images before the options"),
            Self::FollowsDigest(_) => Some("add the image with a tag instead of the digest"),
            Self::Pattern(_) => {
                Some("write a pattern such as `1.*`, `~1.27`, `*-alpine` or `/[0-9]+-lts/`")
            }
            Self::TagAndPattern(_) => {
                Some("write the present tag behind the image, and the pattern behind --follow")
            }
            Self::CredentialsForSeveral(_) => Some(
                "name the images of one registry, or store the credentials with `docker login` or `podman login`",
            ),
            _ => None,
        }
    }
}

fn hint_of_lock(error: &lock::ParseError) -> Option<&'static str> {
    match error {
        lock::ParseError::Conflict(_) => Some(
            "take one side, or remove the image and add it again: each image is one entry, independent of the others",
        ),
        lock::ParseError::Newer(_) => Some("use a newer version of hocker"),
        lock::ParseError::Empty => Some(
            "restore the file from version control, or remove it and start a new one with `hocker lock add`",
        ),
        lock::ParseError::Json { .. } => Some(
            "restore the file from version control, or name another one with --lock-file; do not edit lock files",
        ),
        lock::ParseError::Line { .. } => Some(
            "remove the entry and add the image again with `hocker lock add`; do not edit lock files",
        ),
        _ => None,
    }
}
