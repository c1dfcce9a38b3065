//! What errors of daemons, and of images on their way to them, mean for the exit code and for the user.

use hocker::archive::plain_layer::LayerError;
use hocker::archive::stored_image;
use hocker::daemon;

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
