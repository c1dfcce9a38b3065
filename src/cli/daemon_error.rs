//! What errors of daemons, and of images on their way to them, mean for the exit code and for the user.

use super::Exit;
use super::error::{of_document, of_stored};
use crate::archive::plain_layer::LayerError;
use crate::archive::{composition, stored_image};
use crate::daemon;

pub(super) fn of_daemon(error: &daemon::Error) -> Exit {
    if error.is_denied() {
        Exit::Denied
    } else if error.is_unavailable() {
        Exit::Unavailable
    } else if error.is_integrity() {
        Exit::Integrity
    } else if error.is_unsupported() {
        Exit::Unsupported
    } else {
        Exit::Other
    }
}

pub(super) fn of_load(error: &daemon::load::Error) -> Exit {
    use daemon::load::Error as Load;
    match error {
        Load::Open(error) => of_stored(error),
        Load::NoneForDaemon(_) | Load::Upload(daemon::UploadError::NotALayer { .. }) => {
            Exit::Unsupported
        }
        Load::Composition(
            composition::Error::Manifest(source) | composition::Error::Config { source, .. },
        ) => of_document(source),
        Load::Composition(error) if error.is_integrity() => Exit::Integrity,
        Load::Upload(error) if error.is_integrity() => Exit::Integrity,
        Load::Daemon(error) => of_daemon(error),
        Load::Composition(_) | Load::Name(_) | Load::Upload(_) | Load::State(_) | Load::Task(_) => {
            Exit::Other
        }
    }
}

pub(super) fn hint_of_daemon(error: &daemon::Error) -> Option<&'static str> {
    if error.is_denied() {
        Some("the daemon's socket is for its group (`docker`, mostly) and for root")
    } else if error.is_down() {
        Some("start the daemon, or name another with --host or DOCKER_HOST")
    } else if error.is_full() {
        Some("make room where the daemon keeps its images: `docker system df` shows what takes it")
    } else if matches!(error, daemon::Error::Platform { .. }) {
        Some("--platform loads an image that the daemon does not run")
    } else {
        None
    }
}

pub(super) fn hint_of_load(error: &daemon::load::Error) -> Option<&'static str> {
    match error {
        daemon::load::Error::Daemon(error) => hint_of_daemon(error),
        daemon::load::Error::NoneForDaemon(_) => {
            Some("--platform chooses an image that the daemon does not run")
        }
        daemon::load::Error::Open(stored_image::Error::SeveralImages { .. }) => {
            Some("choose one of these with --image")
        }
        daemon::load::Error::Upload(daemon::UploadError::Layer {
            source: LayerError::TooLarge(_),
            ..
        }) => Some("--max-layer-size allows more, for an image that is trusted"),
        _ => None,
    }
}
