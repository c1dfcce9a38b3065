//! `hocker prune`: away with what was loaded and is no longer wanted.

use tokio::task::spawn_blocking;

use super::args::PruneArgs;
use super::{Context, Error, daemon, stdout};
use hocker::daemon::prune::{self, Fate, Kept, Pruned};
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
    let daemon = daemon::connect(args.daemon, context).await?;
    let mut removed = Vec::new();
    let outcome = prune::prune(&daemon, &state, &kept, args.dry_run, |pruned| {
        let told = Printable::new(&told(pruned, args.dry_run));
        context.display.line(&told);
        if pruned.fate == Fate::Removed {
            removed.push(format!("{}\n", pruned.id));
        }
    })
    .await;
    stdout::write(removed.concat().as_bytes())?;
    Ok(outcome?)
}

/// What was done about an image, for people.
fn told(pruned: &Pruned, dry_run: bool) -> String {
    let names: Vec<_> = pruned.untagged.iter().map(ToString::to_string).collect();
    let of_names = if names.is_empty() {
        String::new()
    } else {
        format!(" ({})", names.join(", "))
    };
    let fate = match (pruned.fate, dry_run) {
        (Fate::Removed, false) => "removed",
        (Fate::Removed, true) => "would be removed",
        (Fate::Gone, _) => "is gone already",
        (Fate::InUse, _) => "is in use and stays",
        (Fate::Others, false) if names.is_empty() => "belongs to others and stays",
        (Fate::Others, false) => "has lost its names from here, and stays for others",
        (Fate::Others, true) => "would stay for others, without its names from here",
        (Fate::Unsure, _) => {
            "stays: loading it was not done to its end, so it may be somebody else's"
        }
    };
    format!("{} {fate}{of_names}", pruned.id)
}
