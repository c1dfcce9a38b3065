//! The difference between two images as lines for a terminal.

use std::fmt::Display;

use super::Options;
use super::config::{ConfigChange, EntryChange, SetChange};
use super::image::{ImageDiff, Side};
use super::layers::{LayerChanges, ListedLayer};
use super::locks::{LockDiff, LockedChange, PlatformDiff};
use super::packages::PackageChanges;
use crate::oci::digest::Digest;
use crate::printable::Printable;
use crate::size::Size;

/// The longest value and instruction in characters. Longer ones are cut; JSON has all of them.
const LONGEST: usize = 200;

/// Returns the difference between two images.
#[must_use]
pub fn image(diff: &ImageDiff, options: Options) -> Vec<Printable> {
    let mut lines = Lines::default();
    let name = |side: &Side| format!("{} ({})", side.name, side.platform);
    lines.push(0, format_args!("{} → {}", name(&diff.from), name(&diff.to)));
    body(&mut lines, diff, options, 1);
    lines.0
}

/// Returns the differences between two locks.
#[must_use]
pub fn locks(diff: &LockDiff, options: Options) -> Vec<Printable> {
    let mut lines = Lines::default();
    for change in &diff.images {
        lines.push(0, format_args!("{}: {}", change.name, headline(change)));
        for (platform, of_platform) in &change.platforms {
            match of_platform {
                PlatformDiff::Added(side) => {
                    lines.push(1, format_args!("{platform}: new, {}", summary(side)));
                }
                PlatformDiff::Removed(side) => {
                    lines.push(1, format_args!("{platform}: removed, {}", summary(side)));
                }
                PlatformDiff::Changed(diff) if diff.is_same() => {
                    lines.push(1, format_args!("{platform}: unchanged"));
                }
                PlatformDiff::Changed(diff) => {
                    lines.push(1, format_args!("{platform}:"));
                    body(&mut lines, diff, options, 2);
                }
            }
        }
    }
    let fetch = diff.fetch.iter();
    let fetch: Vec<_> = fetch
        .map(|(platform, bytes)| format!("{} for {platform}", Size(*bytes)))
        .collect();
    let count = diff.images.len();
    let mut last = if count == 0 {
        "no image changed".to_owned()
    } else {
        format!("{count} changed")
    };
    if !fetch.is_empty() {
        last = format!("{last}; to fetch: {}", fetch.join(", "));
    }
    lines.push(0, last);
    lines.0
}

/// Returns the change of a locked image in one line: of its version, its tag, or else its digest.
pub(super) fn headline(change: &LockedChange) -> String {
    let short = |digest: Option<Digest>| {
        digest
            .map(|digest| abbreviated(&digest))
            .unwrap_or_default()
    };
    match (&change.from, &change.to) {
        (None, Some(new)) => format!("new, {} {}", new.reference, short(new.digest)),
        (Some(old), None) => format!("removed, {} {}", old.reference, short(old.digest)),
        (Some(old), Some(new)) => {
            let mut parts = vec![if old.reference == new.reference {
                new.reference.to_string()
            } else {
                format!("{} → {}", old.reference, new.reference)
            }];
            match (&old.version, &new.version) {
                (Some(from), Some(to)) if from != to => {
                    parts.push(format!("version {from} → {to}"));
                }
                _ => {}
            }
            if old.digest != new.digest {
                parts.push(format!("{} → {}", short(old.digest), short(new.digest)));
            } else if old.reference == new.reference {
                parts.push("other platforms".to_owned());
            }
            parts.join(", ")
        }
        (None, None) => String::new(),
    }
}

fn summary(side: &Side) -> String {
    format!(
        "{} layers, {}, {}",
        side.layers.len(),
        Size(side.size),
        abbreviated(&side.manifest)
    )
}

#[derive(Default)]
struct Lines(Vec<Printable>);

impl Lines {
    fn push(&mut self, depth: usize, text: impl Display) {
        let text = Printable::of_any_length(&text.to_string());
        self.0.push(Printable::of_any_length(&format!(
            "{}{text}",
            "  ".repeat(depth)
        )));
    }
}

fn body(lines: &mut Lines, diff: &ImageDiff, options: Options, depth: usize) {
    if diff.is_same() {
        lines.push(depth, format_args!("the same image: {}", diff.to.manifest));
    } else {
        identity(lines, diff, depth);
    }
    if let Some(config) = &diff.config {
        configuration(lines, config, options, depth);
    }
    layers(lines, &diff.layers, depth);
    if let Some(packages) = &diff.packages {
        self::packages(lines, packages, depth);
    }
    if let Some(link) = diff.compare_link() {
        lines.push(depth, format_args!("compare: {link}"));
    } else if let Some(link) = diff.source_link().filter(|_| !diff.is_same()) {
        lines.push(depth, format_args!("source: {link}"));
    }
    for note in &diff.notes {
        lines.push(depth, format_args!("note: {note}"));
    }
}

fn identity(lines: &mut Lines, diff: &ImageDiff, depth: usize) {
    let (from, to) = (&diff.from, &diff.to);
    lines.push(
        depth,
        format_args!("digest: {} → {}", from.digest(), to.digest()),
    );
    for (name, old, new) in described(diff) {
        lines.push(
            depth,
            format_args!("{name}: {}", arrow(old.as_deref(), new.as_deref())),
        );
    }
    if from.size == to.size {
        lines.push(depth, format_args!("size: {}", Size(to.size)));
    } else {
        lines.push(
            depth,
            format_args!("size: {} → {}", Size(from.size), Size(to.size)),
        );
    }
}

/// Returns what two images state differently about themselves: the name, the old value and the new one.
pub(super) fn described(
    diff: &ImageDiff,
) -> impl Iterator<Item = (&'static str, Option<String>, Option<String>)> {
    let (from, to) = (&diff.from, &diff.to);
    let (old, new) = (from.description.clone(), to.description.clone());
    let all = [
        ("version", old.version, new.version),
        ("revision", old.revision, new.revision),
        ("base", base(from), base(to)),
    ];
    all.into_iter().filter(|(_, old, new)| old != new)
}

/// Returns the base image that an image states.
fn base(side: &Side) -> Option<String> {
    let (name, digest) = (&side.description.base_name, side.description.base_digest);
    let digest = digest.map(|digest| abbreviated(&digest));
    match (name, digest) {
        (Some(name), Some(digest)) => Some(format!("{name} {digest}")),
        (name, digest) => name.clone().or(digest),
    }
}

fn configuration(lines: &mut Lines, config: &ConfigChange, options: Options, depth: usize) {
    if config.is_empty() {
        lines.push(depth, "configuration: unchanged");
        return;
    }
    lines.push(depth, "configuration:");
    for field in &config.fields {
        let change = arrow(field.from.as_deref(), field.to.as_deref());
        lines.push(depth + 1, format_args!("{}: {change}", field.name));
    }
    entries(
        lines,
        "environment",
        &config.environment,
        options.values,
        depth + 1,
    );
    set(lines, "ports", &config.ports, depth + 1);
    set(lines, "volumes", &config.volumes, depth + 1);
    entries(lines, "labels", &config.labels, true, depth + 1);
}

fn entries(lines: &mut Lines, title: &str, entries: &[EntryChange], values: bool, depth: usize) {
    if entries.is_empty() {
        return;
    }
    lines.push(depth, format_args!("{title}:"));
    for entry in entries {
        let sign = sign(entry.from.is_some(), entry.to.is_some());
        let name = cut(&entry.name);
        if values {
            let change = match (&entry.from, &entry.to) {
                (Some(from), Some(to)) => format!("{} → {}", cut(from), cut(to)),
                (from, to) => cut(from.as_ref().or(to.as_ref()).map_or("", String::as_str)),
            };
            lines.push(depth + 1, format_args!("{sign} {name}: {change}"));
        } else {
            lines.push(depth + 1, format_args!("{sign} {name}"));
        }
    }
}

fn set(lines: &mut Lines, title: &str, change: &SetChange, depth: usize) {
    if change.added.is_empty() && change.removed.is_empty() {
        return;
    }
    lines.push(depth, format_args!("{title}:"));
    for (sign, names) in [('-', &change.removed), ('+', &change.added)] {
        for name in names {
            lines.push(depth + 1, format_args!("{sign} {}", cut(name)));
        }
    }
}

fn layers(lines: &mut Lines, layers: &LayerChanges, depth: usize) {
    lines.push(depth, format_args!("layers: {}", layer_counts(layers)));
    for (sign, list) in [('-', &layers.gone), ('+', &layers.new)] {
        for layer in list {
            lines.push(depth + 1, format_args!("{sign} {}", shown(layer)));
        }
    }
}

/// Returns the numbers of layers in words.
pub(super) fn layer_counts(layers: &LayerChanges) -> String {
    let mut counts = format!(
        "{} new, {} gone, {} kept",
        layers.new.len(),
        layers.gone.len(),
        layers.kept
    );
    if layers.repacked > 0 {
        counts = format!("{counts} ({} compressed again)", layers.repacked);
    }
    counts
}

fn shown(layer: &ListedLayer) -> String {
    let size = Size(layer.size);
    let instruction = layer.instruction.as_deref().map(cut).unwrap_or_default();
    let line = format!("{} {size:>7}  {instruction}", abbreviated(&layer.digest));
    line.trim_end().to_owned()
}

fn packages(lines: &mut Lines, packages: &PackageChanges, depth: usize) {
    lines.push(
        depth,
        format_args!("packages: {}", package_counts(packages)),
    );
    if packages.rpm {
        lines.push(depth + 1, "the database of rpm differs");
    }
    for change in &packages.changed {
        let sign = sign(change.from.is_some(), change.to.is_some());
        let version = match (&change.from, &change.to) {
            (Some(from), Some(to)) => format!("{} → {}", cut(from), cut(to)),
            (from, to) => cut(from.as_ref().or(to.as_ref()).map_or("", String::as_str)),
        };
        lines.push(
            depth + 1,
            format_args!("{sign} {} {version}", cut(&change.name)),
        );
    }
}

/// Returns the numbers of packages in words.
pub(super) fn package_counts(packages: &PackageChanges) -> String {
    let count = |is: fn(bool, bool) -> bool| {
        let changed = packages.changed.iter();
        changed
            .filter(|change| is(change.from.is_some(), change.to.is_some()))
            .count()
    };
    format!(
        "{} changed, {} new, {} gone, {} kept",
        count(|from, to| from && to),
        count(|from, to| !from && to),
        count(|from, to| from && !to),
        packages.kept
    )
}

fn sign(from: bool, to: bool) -> char {
    match (from, to) {
        (true, true) => '~',
        (true, false) => '-',
        _ => '+',
    }
}

fn arrow(from: Option<&str>, to: Option<&str>) -> String {
    let shown = |text: Option<&str>| text.map_or_else(|| "(none)".to_owned(), cut);
    format!("{} → {}", shown(from), shown(to))
}

fn cut(text: &str) -> String {
    Printable::at_most(LONGEST, text).to_string()
}

/// Abbreviates a digest to its algorithm and 12 hexadecimal digits.
pub(super) fn abbreviated(digest: &Digest) -> String {
    let hex: String = digest.hex().chars().take(12).collect();
    format!("{}:{hex}", digest.algorithm())
}
