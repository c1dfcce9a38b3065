//! Output about changes: lines on standard error, JSON, and the message of a commit.

use serde_json::{Value, json};

use super::super::args::lock::ChangesArgs;
use super::super::{Error, report, stderr, stdout};
use super::abbreviated::abbreviated;
use super::error::LockError;
use super::waits::Waits;
use hocker::diff::{LockDiff, markdown};
use hocker::lock::{Change, Changes, Lock, Name, NewLayer, PlatformChange};
use hocker::name::{Reference, Tag};
use hocker::oci::digest::Digest;
use hocker::printable::Printable;
use hocker::size::Size;

/// Images that failed, with their errors.
pub(super) type Failures = Vec<(Name, Error)>;

/// Prints the changes, in the form that the arguments select, and returns the failures as an error.
pub(super) fn print(
    args: ChangesArgs,
    old: &Lock,
    new: &Lock,
    waits: &Waits,
    failures: Failures,
) -> Result<(), Error> {
    let changes = Changes::between(old, new);
    stderr::lines(&summary_lines(
        &changes,
        new.images.len(),
        waits,
        failures.len(),
    ));
    waits.print();
    if args.json {
        stdout::write(json(&changes, waits, &failures).as_bytes())?;
    } else if args.commit_message {
        stdout::lines(&commit_message(old, new, waits))?;
    }
    failed(failures)
}

/// Returns the answer of a command that checks. It decides the exit code over failures, which may be transient.
pub(super) fn answer(answer: Option<LockError>, failures: Failures) -> Result<(), Error> {
    let failed = failed(failures);
    match (answer.map(Error::from), failed) {
        (None, failed) => failed,
        (Some(answer), Err(Error::Several(mut errors))) => {
            errors.push(answer);
            Err(Error::Several(errors))
        }
        (Some(answer), _) => Err(answer),
    }
}

/// Returns the line about an image that moves, with its tags if they differ, and its digests.
pub(super) fn headline(
    name: &Name,
    reference: &Reference,
    tags: [Option<&Tag>; 2],
    digests: [Option<Digest>; 2],
) -> String {
    let [from, to] = digests.map(|digest| digest.as_ref().map(abbreviated).unwrap_or_default());
    match tags {
        [Some(old), Some(new)] if old != new => format!("{name} {old} → {new}: {from} → {to}"),
        _ => format!("{name} ({reference}): {from} → {to}"),
    }
}

/// Returns the failures as one error.
pub(super) fn failed(failures: Failures) -> Result<(), Error> {
    if failures.is_empty() {
        return Ok(());
    }
    Err(Error::Several(
        failures.into_iter().map(|(_, error)| error).collect(),
    ))
}

fn summary_lines(changes: &Changes, all: usize, waits: &Waits, failed: usize) -> Vec<Printable> {
    let mut lines = Vec::new();
    let mut line = |text: &str| lines.push(Printable::new(text));
    for change in &changes.images {
        let short = |digest: Option<Digest>| {
            digest
                .map(|digest| abbreviated(&digest))
                .unwrap_or_default()
        };
        let tags = [change.from_tag.as_ref(), change.to_tag.as_ref()];
        let moves = change.from != change.to || new_tag(change).is_some();
        let what = match (change.from, change.to) {
            (None, _) => short(change.to),
            (_, None) => "removed".to_owned(),
            (from, to) if moves => {
                line(&headline(&change.name, &change.reference, tags, [from, to]));
                String::new()
            }
            (_, to) => format!("{}, with other platforms", short(to)),
        };
        if !what.is_empty() {
            line(&format!("{} ({}): {what}", change.name, change.reference));
        }
        for (platform, change) in &change.platforms {
            line(&format!("  {platform}: {}", summary(change)));
            for layer in change.layers.iter().filter(|layer| layer.is_new) {
                let digest = abbreviated(&layer.layer.digest);
                let size = Size(layer.layer.size);
                line(&format!("    + {digest} {size:>10}"));
            }
        }
    }
    let same = all.saturating_sub(
        changes
            .images
            .iter()
            .filter(|change| change.to.is_some())
            .count()
            + failed,
    );
    let mut counts = vec![
        format!("{} changed", changes.images.len()),
        format!("{same} unchanged"),
    ];
    let waiting = waits.waiting().count();
    if waiting > 0 {
        counts.push(format!("{waiting} waiting"));
    }
    if failed > 0 {
        counts.push(format!("{failed} failed"));
    }
    let mut last = counts.join(", ");
    let fetch = changes
        .fetch
        .iter()
        .map(|(platform, bytes)| format!("{} for {platform}", Size(*bytes)));
    let fetch: Vec<_> = fetch.collect();
    if !fetch.is_empty() {
        last.push_str("; to fetch: ");
        last.push_str(&fetch.join(", "));
    }
    line(&last);
    lines
}

fn summary(change: &PlatformChange) -> String {
    if change.from == Some(change.to) {
        return "unchanged".to_owned();
    }
    let new = change.layers.iter().filter(|layer| layer.is_new).count();
    format!(
        "{new} of {} layers new, {} to fetch",
        change.layers.len(),
        Size(change.fetch)
    )
}

/// Returns the new tag of an image that moved from one tag to another.
fn new_tag(change: &Change) -> Option<&Tag> {
    let is_old = change.from_tag.is_some() && change.from.is_some();
    let new = change.to_tag.as_ref();
    new.filter(|_| is_old && change.from_tag != change.to_tag)
}

/// Returns the message of a commit, which is empty if the lock file did not change: what changed, then what waits.
fn commit_message(old: &Lock, new: &Lock, waits: &Waits) -> Vec<Printable> {
    if old == new {
        return Vec::new();
    }
    let waiting: Vec<_> = waits.waiting().collect();
    let mut lines = markdown::commit_message(&LockDiff::between(old, new));
    if lines.is_empty() {
        let names = waiting
            .iter()
            .map(|(name, waiting)| format!("{name} {}", waiting.pending.tag));
        let subject = match names.collect::<Vec<_>>() {
            names if names.is_empty() => "Update what waits of container images".to_owned(),
            names => markdown::subject("Wait for", &names),
        };
        lines.push(Printable::new(&subject));
    }
    if !waiting.is_empty() {
        lines.push(Printable::new(""));
    }
    lines.extend(waiting.into_iter().map(|(name, waiting)| {
        let pending = &waiting.pending;
        Printable::new(&format!(
            "{name} {} waits until {}: {}",
            pending.tag, waiting.until, pending.digest
        ))
    }));
    lines
}

fn json(changes: &Changes, waits: &Waits, failures: &Failures) -> String {
    let fetch = changes
        .fetch
        .iter()
        .map(|(platform, bytes)| (platform.to_string(), json!(bytes)));
    let failed = failures
        .iter()
        .map(|(name, error)| json!({"name": name.as_str(), "error": report::line(error).as_str()}));
    let [waiting, notices] = waits.json();
    let document = json!({
        waiting.0: waiting.1,
        notices.0: notices.1,
        "changed": changes.images.iter().map(change).collect::<Vec<_>>(),
        "failed": failed.collect::<Vec<_>>(),
        "fetch": fetch.collect::<serde_json::Map<_, _>>(),
    });
    format!("{document:#}\n")
}

fn change(change: &Change) -> Value {
    let platforms = change.platforms.iter().map(|(platform, change)| {
        let layers: Vec<_> = change.layers.iter().map(layer).collect();
        let value = json!({
            "from": change.from,
            "to": change.to,
            "layers": layers,
            "fetch": change.fetch,
        });
        (platform.to_string(), value)
    });
    json!({
        "name": change.name.as_str(),
        "reference": change.reference.to_string(),
        "from": change.from,
        "to": change.to,
        "fromTag": change.from_tag.as_ref().filter(|_| change.from.is_some()).map(Tag::as_str),
        "toTag": change.to_tag.as_ref().map(Tag::as_str),
        "platforms": platforms.collect::<serde_json::Map<_, _>>(),
    })
}

fn layer(layer: &NewLayer) -> Value {
    json!({"digest": layer.layer.digest, "size": layer.layer.size, "new": layer.is_new})
}
