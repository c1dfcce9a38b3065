//! Hints for errors of daemons, and for images that cannot be loaded into them.

use hocker::archive::plain_layer::LayerError;
use hocker::daemon;

pub(super) fn hint_of_daemon(error: &daemon::Error) -> Option<&'static str> {
    #[cfg(feature = "containerd")]
    if let daemon::Error::Containerd(error) = error {
        return hint_of_containerd(error);
    }
    if error.is_denied() {
        Some(
            "run this as root, or as a member of the group of the daemon's socket (usually `docker`)",
        )
    } else if error.is_down() {
        Some("start the daemon, or name another one with --host or DOCKER_HOST")
    } else if error.is_other_server() {
        Some("check the address: the server does not seem to be a container daemon")
    } else if error.is_full() {
        Some(
            "free space on the disk with the daemon's images: `docker system df` shows what uses it",
        )
    } else if matches!(error, daemon::Error::Platform { .. }) {
        Some("use --platform to load an image that the daemon cannot run")
    } else {
        None
    }
}

#[cfg(feature = "containerd")]
fn hint_of_containerd(error: &daemon::containerd::Error) -> Option<&'static str> {
    use daemon::containerd::Error;
    if error.is_denied() {
        return Some(
            "run this as root, for example with sudo: containerd's socket belongs to root",
        );
    }
    if error.is_full() {
        return Some(
            "free space on the disk with containerd's images, usually /var/lib/containerd",
        );
    }
    match error {
        Error::Connect { .. } => Some("start containerd, or name another socket with --host"),
        Error::OtherServer { .. } => Some(
            "name Docker's or Podman's socket with unix://, and containerd's with containerd://",
        ),
        Error::Snapshotter { .. } => Some("select one of these with --snapshotter"),
        _ => None,
    }
}

pub(super) fn hint_of_load(error: &daemon::load::Error) -> Option<&'static str> {
    match error {
        daemon::load::Error::Daemon(error) => hint_of_daemon(error),
        daemon::load::Error::NoneForDaemon(_) => {
            Some("use --platform to select an image that the daemon cannot run")
        }
        daemon::load::Error::Upload(daemon::UploadError::Layer {
            source: LayerError::TooLarge(_),
            ..
        }) => Some("if you trust the image, allow more with --max-layer-size"),
        _ => None,
    }
}
