//! Sends an image as an archive.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};

use super::find::FoundImage;
use super::lowest_layer::{self, Outcome};
use super::transfer::{Attempt, transfer};
use super::way::{Way, WhyArchive, line};
use super::{AT_ONCE, Error, LoadProgress, ResendReason, TransferReport};
use crate::archive::composition::Composition;
use crate::daemon::Error as DaemonError;
use crate::daemon::client::Daemon;
use crate::daemon::form::LayerForm;
use crate::daemon::plan;
use crate::daemon::store::Store;
use crate::daemon::upload::Gate;
use crate::oci::digest::{DiffId, Digest};

/// Sends the image as an archive for this reason, at first without the layers that the daemon has.
pub(super) async fn send(
    daemon: &Daemon,
    found: &Arc<FoundImage>,
    why: WhyArchive,
    progress: &LoadProgress,
) -> Result<TransferReport, Error> {
    let known = match daemon.store() {
        Store::Docker { .. } => known_layers(daemon, found.config.diff_ids()).await?,
        Store::Containerd | Store::Podman => 0,
    };
    let mut attempt = Attempt {
        left_out: plan::left_out(&found.composition.manifest().layers, known),
        form: daemon.form(),
    };
    let mut why = why;
    if known == 0 && lowest_layer::is_worthwhile(daemon, found) {
        let report = report(&found.composition, &HashSet::new());
        (progress.sending)(report.bytes_sent);
        match lowest_layer::send(daemon, found, progress).await? {
            Outcome::Sent => return Ok(report),
            Outcome::NoName(reason) => why = WhyArchive::Refused(reason),
            Outcome::Refused(error) => {
                why = WhyArchive::Refused(line(&*error));
                if let Some(message) = error.message().filter(|message| message.is_full()) {
                    attempt.form = LayerForm::compressed(daemon.store());
                    (progress.resending)(ResendReason::DiskFull, message);
                }
            }
        }
    }
    (progress.way)(&Way::Archive(why));
    loop {
        let report = report(&found.composition, &attempt.left_out);
        (progress.sending)(report.bytes_sent);
        match transfer(daemon, found, &attempt, &progress.sent, Gate::open()).await {
            Ok(()) => return Ok(report),
            Err(Error::Daemon(DaemonError::Load { message })) => {
                let Some((next, reason)) = attempt.next(daemon.store(), &message) else {
                    return Err(DaemonError::Load { message }.into());
                };
                (progress.resending)(reason, &message);
                attempt = next;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Returns the number of layers, starting with the lowest, that the daemon has in one of its images.
async fn known_layers(daemon: &Daemon, diff_ids: &[DiffId]) -> Result<usize, Error> {
    let ids = daemon.images().await?;
    let mut images = stream::iter(ids)
        .map(|id| async move { daemon.image(&id).await })
        .buffer_unordered(AT_ONCE);
    let mut known = 0;
    while let Some(image) = images.next().await {
        // An image that was removed meanwhile or is broken shares nothing.
        if let Ok(Some(image)) = image {
            known = known.max(plan::shared_layers(&image.layers, diff_ids));
        }
        if known == diff_ids.len() {
            break;
        }
    }
    Ok(known)
}

fn report(composition: &Composition, left_out: &HashSet<Digest>) -> TransferReport {
    let mut report = TransferReport::default();
    let mut seen = HashSet::new();
    for layer in &composition.manifest().layers {
        let sent = !left_out.contains(&layer.digest);
        report.layers += 1;
        report.layers_sent += usize::from(sent);
        if seen.insert(layer.digest) {
            report.bytes += layer.size;
            report.bytes_sent += if sent { layer.size } else { 0 };
        }
    }
    report
}
