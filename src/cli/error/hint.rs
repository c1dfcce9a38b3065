//! Hints: actions that the user can take after an error.

use std::path::Path;

use super::super::docker2nix::MANIFEST_ON_STDIN;
use super::Error;
use super::daemon_hint::{hint_of_daemon, hint_of_load};
use super::registry_hint::{hint_of_build, hint_of_cause};
use hocker::archive::plain_layer::LayerError;
use hocker::archive::{oci_layout, on_disk, stored_image};
use hocker::daemon;
use hocker::erofs;
use hocker::name::{self, Reference};
use hocker::nix;
use hocker::oci::document::ParseError;
use hocker::pin;
use hocker::pull;
use hocker::serve;

/// The hint for a temporary directory that is absent, full or read-only.
const TEMPORARY: &str = "name a directory with enough space with the environment variable TMPDIR";

impl Error {
    /// Returns an action that the user can take, if there is one.
    #[must_use]
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Output(error) if error.is_existing_directory() => Some("choose another name"),
            Self::Output(error) if error.is_existing() => {
                Some("choose another name, or replace it with --force")
            }
            Self::Output(error) if error.is_without_directory() => {
                Some("create its directory first, or choose another one")
            }
            Self::Registry(error) => hint_of_cause(error.cause()),
            Self::Build(error) => match &**error {
                Self::Registry(error) => hint_of_build(error.cause()),
                Self::AllLocations(error) => hint_of_build(error.most_important()?.cause()),
                // A build has no options.
                Self::Erofs { .. } => None,
                error => error.hint(),
            },
            Self::AlsoOnDisk(_) => {
                Some("if you mean the file or directory with this name, begin its path with ./")
            }
            Self::Pull(error) if is_too_large(error) => {
                Some("if you trust the image, allow more with --max-layer-size")
            }
            Self::Pull(pull::Error::Scratch { path, .. }) if *path == std::env::temp_dir() => {
                Some(TEMPORARY)
            }
            Self::Pull(pull::Error::Rootfs { source, .. }) | Self::Rootfs { source, .. } => {
                hint_of_rootfs(source)
            }
            Self::StoredImage(error) => hint_of_stored_image(error),
            Self::Daemon(error) | Self::Prune(daemon::prune::Error::Daemon(error)) => {
                hint_of_daemon(error)
            }
            Self::Load { source, .. } => match &**source {
                daemon::load::Error::Open(error) => hint_of_stored_image(error),
                error => hint_of_load(error),
            },
            Self::Images(error) => match &**error {
                serve::Error::Layout(error) => hint_of_layout(error),
                serve::Error::Archive { source, .. } => hint_of_archive(source),
                serve::Error::NoImage { .. } => None,
            },
            Self::Server(error) if error.is_in_use() => {
                Some("choose another port with --listen; port 0 selects a free one")
            }
            Self::Erofs { source, .. } => match &**source {
                erofs::Error::Layer(LayerError::TooLarge(_)) => {
                    Some("if you trust the layer, allow more with --max-layer-size")
                }
                _ => None,
            },
            Self::Denial(denial) => denial.error.hint(),
            Self::LockedImage { source, .. } => source.hint(),
            Self::TagsOfSeveral { .. } => Some("select one of these with --image"),
            Self::Reference {
                source: name::ParseError::Path(_),
                ..
            } => Some(
                "name an image of a registry; `hocker image`, `diff`, `load`, `mount` and `serve` also read images \
                 from disk",
            ),
            Self::RegistryOfPath => Some("leave them out; --image selects one of several images"),
            Self::NameOfReference => Some(
                "leave it out, or give the path of a layout or an archive, which begins with /, ./ or ../",
            ),
            Self::MountPointsOfFormat => Some("choose --format erofs, or leave them out"),
            Self::Service { source, .. } => hint_of_service(source),
            #[cfg(target_os = "linux")]
            Self::Mount(error) => hint_of_mount(error),
            #[cfg(target_os = "linux")]
            Self::NoCache => Some("name one with --cache"),
            #[cfg(feature = "containerd")]
            Self::OnlyContainerd(_) => Some(
                "name containerd's socket, like --host containerd:///run/containerd/containerd.sock",
            ),
            Self::DirectoryToStdout => {
                Some("name the directory with --out, or choose another --format")
            }
            Self::Pin(pin::Error::Platform(_)) => Some("select another platform with --platform"),
            Self::Lock(error) => error.hint(),
            Self::Diff(error) => error.hint(),
            Self::Document {
                what,
                source: ParseError::Empty,
            } if what == MANIFEST_ON_STDIN => Some(
                "pipe a manifest into hocker, or write IMAGE:TAG as one argument: then hocker fetches the manifest",
            ),
            Self::Document {
                source: ParseError::IsIndex,
                ..
            } => Some(
                "give the manifest of one platform: `hocker manifest` prints it, and --platform \
                 selects another platform than this machine's",
            ),
            _ => None,
        }
    }
}

/// Whether a layer of an image expands to more than the limit.
fn is_too_large(error: &pull::Error) -> bool {
    match error {
        pull::Error::Layer { source, .. } => matches!(source, LayerError::TooLarge(_)),
        pull::Error::Erofs { source, .. } => {
            matches!(**source, erofs::Error::Layer(LayerError::TooLarge(_)))
        }
        _ => false,
    }
}

fn hint_of_stored_image(error: &stored_image::Error) -> Option<&'static str> {
    match error {
        stored_image::Error::Platform { .. } => Some("select one of these with --platform"),
        stored_image::Error::SeveralImages { .. } => Some("select one of these with --image"),
        stored_image::Error::Layout(error) => hint_of_layout(error),
        stored_image::Error::Archive { source, .. } => hint_of_archive(source),
        _ => None,
    }
}

fn hint_of_archive(error: &on_disk::Error) -> Option<&'static str> {
    match error {
        on_disk::Error::Write { .. } => Some(TEMPORARY),
        _ => None,
    }
}

fn hint_of_layout(error: &oci_layout::Error) -> Option<&'static str> {
    match error {
        oci_layout::Error::NoPath { path } if is_reference(path) => Some(
            "if this is an image of a registry, write it to a directory first, and name the directory: \
             `hocker image --format oci-dir --out DIR IMAGE`",
        ),
        oci_layout::Error::IsStore { .. } => {
            Some("run the image with podman, or write it in another format, such as oci-dir")
        }
        _ => None,
    }
}

/// Whether the user may have written a reference in place of a path.
fn is_reference(path: &Path) -> bool {
    path.to_str()
        .is_some_and(|text| text.parse::<Reference>().is_ok())
}

#[cfg(target_os = "linux")]
fn hint_of_mount(error: &hocker::mount::Error) -> Option<&'static str> {
    use hocker::mount;
    match error {
        error if error.is_denied() => Some(
            "run hocker as root, outside of user namespaces: Linux mounts EROFS file systems for no other user",
        ),
        error if error.is_absent() => Some("create this directory first, or choose another one"),
        error if error.is_busy() => {
            Some("end the programs that use it; `fuser --mount` lists them")
        }
        error if error.is_unknown_file_system() => {
            Some("load the kernel modules `erofs` and `overlay`")
        }
        mount::Error::Mounted {
            by_hocker: true, ..
        } => Some("unmount it with `hocker umount`, or choose another directory"),
        mount::Error::Mounted { .. } | mount::Error::NotEmpty(_) => {
            Some("choose another directory")
        }
        mount::Error::Foreign(_) => Some("unmount it with `umount`, if it is not needed"),
        mount::Error::Unsafe(_) => Some(
            "the kernel trusts file system images: use a file and directory of root or your own that no other user can \
             write",
        ),
        mount::Error::Convert { source, .. } => match **source {
            erofs::Error::Layer(LayerError::TooLarge(_)) => {
                Some("if you trust the image, allow more with --max-layer-size")
            }
            _ => None,
        },
        _ => None,
    }
}

fn hint_of_service(error: &nix::service::Error) -> Option<&'static str> {
    match error {
        nix::service::Error::NoCommand => Some("set the option `command` of the service"),
        nix::service::Error::NotRoot { .. } => {
            Some("set the option `user` of the service to these numbers, such as \"1000:1000\"")
        }
        nix::service::Error::User(_) | nix::service::Error::Group(_) => {
            Some("set the option `user` of the service to numbers, such as \"1000:1000\"")
        }
        nix::service::Error::Program(_) => {
            Some("set the option `entrypoint` of the service to an absolute path")
        }
        _ => None,
    }
}

fn hint_of_rootfs(error: &erofs::RootfsError) -> Option<&'static str> {
    match error {
        erofs::RootfsError::Layer { source, .. } => match **source {
            erofs::Error::Layer(LayerError::TooLarge(_)) => {
                Some("if you trust the image, allow more with --max-layer-size")
            }
            _ => None,
        },
        _ => None,
    }
}
