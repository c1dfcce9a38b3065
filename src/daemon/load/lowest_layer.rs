//! Sends the lowest layer of an image to Docker's own store by itself, and at the same time an archive of the rest. The
//! daemon unpacks a layer that is sent by itself (`docker import`) while it arrives. It writes a whole archive to its
//! disk before it unpacks the first layer. So the first load of an image takes less time than `docker load`.
//!
//! The daemon makes an image of the layer, which has a temporary name until the archive is loaded. An archive needs no
//! layers whose chain the daemon has; layers above the lowest one cannot be sent by themselves.

use std::collections::HashSet;
use std::iter;
use std::sync::Arc;

use futures_util::future::try_join;

use super::find::FoundImage;
use super::temporary_image::TemporaryImage;
use super::transfer::{Attempt, import, transfer};
use super::way::{Way, line};
use super::{Error, LoadProgress};
use crate::daemon::Error as DaemonError;
use crate::daemon::client::Daemon;
use crate::daemon::form::LayerForm;
use crate::daemon::plan;
use crate::daemon::temporary_name::{Named, TemporaryName, secret_repository};
use crate::daemon::upload::Gate;
use crate::printable::Printable;
use crate::serve::{Catalogue, Temporary};

/// The size in bytes from which a layer is worth a request of its own.
const WORTHWHILE: u64 = 4 << 20;

/// Whether the daemon gets the lowest layer by itself, if it has no layer of the image: it unpacks the layer while it
/// arrives, and the layer is large.
pub(super) fn is_worthwhile(daemon: &Daemon, found: &FoundImage) -> bool {
    // Only Docker's own store on this machine gets all layers decompressed.
    daemon.form() == LayerForm::Decompressed
        && found
            .composition
            .manifest()
            .layers
            .first()
            .is_some_and(|layer| layer.size >= WORTHWHILE)
}

/// The outcome of an attempt to send the image in this way.
pub(super) enum Outcome {
    /// The daemon has loaded it.
    Sent,
    /// The image cannot have a temporary name, for this reason.
    NoName(Printable),
    /// The daemon did not take it.
    Refused(Box<DaemonError>),
}

/// Sends the image. Fails if the image is wrong.
pub(super) async fn send(
    daemon: &Daemon,
    found: &Arc<FoundImage>,
    progress: &LoadProgress,
) -> Result<Outcome, Error> {
    let image = match temporary_image(found).await {
        Ok(image) => image,
        Err(why) => return Ok(Outcome::NoName(why)),
    };
    (progress.way)(&Way::LowestLayer);
    let layers = found.payload(&HashSet::new()).checks()?;
    let attempt = Attempt {
        left_out: plan::left_out(&found.composition.manifest().layers, 1),
        form: daemon.form(),
    };
    let (imported, gate) = Gate::closed();
    let lowest = async {
        for layer in layers.into_iter().take(1) {
            import(daemon, image.name(), layer, &progress.sent).await?;
        }
        // The archive may have failed already.
        let _ = imported.send(());
        Ok(())
    };
    let rest = transfer(daemon, found, &attempt, &progress.sent, gate);
    let sent = try_join(lowest, rest).await;
    image.end(daemon).await;
    match sent {
        Ok(_) => Ok(Outcome::Sent),
        Err(Error::Daemon(error)) => Ok(Outcome::Refused(Box::new(error))),
        Err(error) => Err(error),
    }
}

/// Reserves a temporary name. The registry that answers for it serves no blobs.
async fn temporary_image(found: &FoundImage) -> Result<TemporaryImage, Printable> {
    let repository = secret_repository()
        .ok_or_else(|| Printable::new("the operating system has no random bytes"))?;
    let manifest = found.composition.manifest();
    let catalogue = Catalogue::of_image(&repository, manifest, None, iter::empty());
    let catalogue = catalogue.map_err(|error| line(&error))?;
    let serving = Temporary::start(catalogue, None).await;
    let serving = serving.map_err(|error| line(&error))?;
    let digest = *manifest.digest();
    let name = TemporaryName::new(serving.port(), repository, digest, Named::LowestLayer);
    Ok(TemporaryImage::new(name, serving))
}
