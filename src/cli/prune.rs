//! `hocker prune`: remove images that were loaded and are no longer wanted.

use std::fmt::Display;

use tokio::task::spawn_blocking;

use super::args::PruneArgs;
use super::daemon::Connection;
use super::{Context, Error, daemon, stdout};
use hocker::daemon::prune::{self, Kept, Outcome, Pruned};
use hocker::printable::Printable;

pub(super) async fn run(args: PruneArgs, context: &Context) -> Result<(), Error> {
    let state = daemon::state(args.state, context);
    let kept = spawn_blocking(move || Kept::at(&args.keep))
        .await
        .map_err(Error::Task)??;
    let locking = state.clone();
    let lock = spawn_blocking(move || locking.lock_to_prune())
        .await
        .map_err(Error::Task)?
        .map_err(prune::Error::from)?;
    let Some(_lock) = lock else {
        return Ok(());
    };
    #[cfg(feature = "containerd")]
    let daemon = daemon::connect(args.daemon, None, context).await?;
    #[cfg(not(feature = "containerd"))]
    let daemon = daemon::connect(args.daemon, context).await?;
    let mut removed = Vec::new();
    let dry_run = args.dry_run;
    let outcome = match &daemon {
        Connection::Docker(daemon) => {
            let report = |pruned: &Pruned<_>| tell(pruned, dry_run, &mut removed, context);
            prune::prune(daemon, &state, &kept, dry_run, report).await
        }
        #[cfg(feature = "containerd")]
        Connection::Containerd(daemon) => {
            let report = |pruned: &Pruned<_>| tell(pruned, dry_run, &mut removed, context);
            hocker::daemon::containerd::prune::prune(daemon, &state, &kept, dry_run, report).await
        }
    };
    stdout::write(removed.concat().as_bytes())?;
    Ok(outcome?)
}

/// Prints what was done with an image, and notes its ID if it was removed, or would be.
fn tell<N: Display>(
    pruned: &Pruned<N>,
    dry_run: bool,
    removed: &mut Vec<String>,
    context: &Context,
) {
    let line = Printable::new(&summary(pruned, dry_run));
    context.display.line(&line);
    if pruned.outcome == Outcome::Removed {
        removed.push(format!("{}\n", pruned.id));
    }
}

/// Returns a line about what was done with an image.
fn summary<N: Display>(pruned: &Pruned<N>, dry_run: bool) -> String {
    let names: Vec<_> = pruned.untagged.iter().map(ToString::to_string).collect();
    let of_names = if names.is_empty() {
        String::new()
    } else {
        format!(" ({})", names.join(", "))
    };
    let outcome = match (pruned.outcome, dry_run) {
        (Outcome::Removed, false) => "removed",
        (Outcome::Removed, true) => "would be removed",
        (Outcome::Absent, _) => "was removed before",
        (Outcome::InUse, _) => "kept: a container or another image uses it",
        (Outcome::OwnedByOthers, false) if names.is_empty() => {
            "kept: it has other names or was not loaded by hocker"
        }
        (Outcome::OwnedByOthers, false) => "kept without the names that hocker gave it",
        (Outcome::OwnedByOthers, true) => "would be kept without the names that hocker gave it",
        (Outcome::Incomplete, _) => "kept: its load was interrupted, so it may not be from hocker",
    };
    format!("{} {outcome}{of_names}", pruned.id)
}
