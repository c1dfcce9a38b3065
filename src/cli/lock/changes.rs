//! Output about changes: lines on standard error, JSON, and the message of a commit.

use serde_json::{Value, json};

use super::super::args::lock::ChangesArgs;
use super::super::{Error, report, stderr, stdout};
use hocker::diff::{LockDiff, markdown};
use hocker::lock::{Change, Changes, Lock, Name, NewLayer, PlatformChange};
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
    failures: Failures,
) -> Result<(), Error> {
    let changes = Changes::between(old, new);
    stderr::lines(&summary_lines(&changes, new.images.len(), failures.len()));
    if args.json {
        stdout::write(json(&changes, &failures).as_bytes())?;
    } else if args.commit_message {
        stdout::lines(&markdown::commit_message(&LockDiff::between(old, new)))?;
    }
    failed(failures)
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

fn summary_lines(changes: &Changes, all: usize, failed: usize) -> Vec<Printable> {
    let mut lines = Vec::new();
    let mut line = |text: &str| lines.push(Printable::new(text));
    for change in &changes.images {
        let short = |digest: Option<Digest>| {
            digest
                .map(|digest| abbreviated(&digest))
                .unwrap_or_default()
        };
        let what = match (change.from, change.to) {
            (None, _) => short(change.to),
            (_, None) => "removed".to_owned(),
            (from, to) if from == to => format!("{}, with other platforms", short(to)),
            (from, to) => format!("{} → {}", short(from), short(to)),
        };
        line(&format!("{} ({}): {what}", change.name, change.reference));
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

/// Abbreviates a digest to its algorithm and 12 hexadecimal digits.
pub(super) fn abbreviated(digest: &Digest) -> String {
    format!(
        "{}:{}",
        digest.algorithm(),
        digest.hex().chars().take(12).collect::<String>()
    )
}

fn json(changes: &Changes, failures: &Failures) -> String {
    let fetch = changes
        .fetch
        .iter()
        .map(|(platform, bytes)| (platform.to_string(), json!(bytes)));
    let failed = failures
        .iter()
        .map(|(name, error)| json!({"name": name.as_str(), "error": report::line(error).as_str()}));
    let document = json!({
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
        "platforms": platforms.collect::<serde_json::Map<_, _>>(),
    })
}

fn layer(layer: &NewLayer) -> Value {
    json!({"digest": layer.layer.digest, "size": layer.layer.size, "new": layer.is_new})
}
