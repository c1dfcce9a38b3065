//! The difference between two images as Markdown.

use std::fmt::Write as _;

use super::syntax::{arrow, code, details, list};
use crate::diff::Options;
use crate::diff::config::{ConfigChange, EntryChange};
use crate::diff::image::{ImageDiff, Side};
use crate::diff::layers::ListedLayer;
use crate::diff::packages::PackageChanges;
use crate::diff::text::{abbreviated, described, layer_counts, package_counts};
use crate::size::Size;

/// Returns the difference between two images.
#[must_use]
pub fn image(diff: &ImageDiff, options: Options) -> String {
    let name = |side: &Side| {
        format!(
            "{} ({})",
            code(&side.name),
            code(&side.platform.to_string())
        )
    };
    let mut text = format!("### {} → {}\n\n", name(&diff.from), name(&diff.to));
    body(&mut text, diff, options);
    text
}

/// Writes what is below the heading of an image.
pub(super) fn body(text: &mut String, diff: &ImageDiff, options: Options) {
    if diff.is_same() {
        let _ = writeln!(
            text,
            "- the same image: {}",
            code(&diff.to.manifest.to_string())
        );
    } else {
        identity(text, diff);
    }
    if let Some(link) = diff.compare_link() {
        let _ = writeln!(text, "- [compare the sources](<{link}>)");
    } else if let Some(link) = diff.source_link().filter(|_| !diff.is_same()) {
        let _ = writeln!(text, "- [source](<{link}>)");
    }
    if let Some(config) = &diff.config {
        configuration(text, config, options);
    }
    for note in &diff.notes {
        let _ = writeln!(text, "- note: {}", code(note));
    }
    text.push('\n');
    let layers = &diff.layers;
    if layers.is_empty() {
        let _ = writeln!(text, "Layers: {}.\n", layer_counts(layers));
    } else {
        let line = |what: &'static str| {
            move |layer: &ListedLayer| {
                let instruction = layer.instruction.as_deref().map(code).unwrap_or_default();
                let digest = code(&abbreviated(&layer.digest));
                format!("{what} {digest} {} {instruction}", Size(layer.size))
            }
        };
        let lines = layers.gone.iter().map(line("gone"));
        let lines = lines.chain(layers.new.iter().map(line("new")));
        details(text, &format!("Layers: {}", layer_counts(layers)), lines);
    }
    if let Some(packages) = &diff.packages {
        self::packages(text, packages);
    }
}

fn identity(text: &mut String, diff: &ImageDiff) {
    let (from, to) = (&diff.from, &diff.to);
    let short = |side: &Side| code(&abbreviated(&side.manifest));
    let _ = writeln!(text, "- manifest: {} → {}", short(from), short(to));
    for (name, old, new) in described(diff) {
        let _ = writeln!(text, "- {name}: {}", arrow(old.as_deref(), new.as_deref()));
    }
    let _ = writeln!(text, "- size: {} → {}", Size(from.size), Size(to.size));
}

fn configuration(text: &mut String, config: &ConfigChange, options: Options) {
    if config.is_empty() {
        text.push_str("- configuration: unchanged\n");
        return;
    }
    text.push_str("- configuration:\n");
    let mut lines = Vec::new();
    for field in &config.fields {
        let change = arrow(field.from.as_deref(), field.to.as_deref());
        lines.push(format!("{}: {change}", field.name));
    }
    let entries = |title: &str, entries: &[EntryChange], values: bool| {
        let entries = entries.iter().map(|entry| entry_line(title, entry, values));
        entries.collect::<Vec<_>>()
    };
    lines.extend(entries("environment", &config.environment, options.values));
    for (title, set) in [("port", &config.ports), ("volume", &config.volumes)] {
        lines.extend(
            set.removed
                .iter()
                .map(|name| format!("{title} removed: {}", code(name))),
        );
        lines.extend(
            set.added
                .iter()
                .map(|name| format!("{title} added: {}", code(name))),
        );
    }
    lines.extend(entries("label", &config.labels, true));
    list(text, "  ", lines.into_iter());
}

fn entry_line(title: &str, entry: &EntryChange, values: bool) -> String {
    let change = match (&entry.from, &entry.to) {
        (None, _) => "added",
        (_, None) => "removed",
        _ => "changed",
    };
    let name = code(&entry.name);
    if !values {
        return format!("{title} {change}: {name}");
    }
    match (&entry.from, &entry.to) {
        (Some(from), Some(to)) => format!("{title} {change}: {name} {} → {}", code(from), code(to)),
        (from, to) => {
            let value = from.as_ref().or(to.as_ref()).map_or("", String::as_str);
            format!("{title} {change}: {name} {}", code(value))
        }
    }
}

fn packages(text: &mut String, packages: &PackageChanges) {
    if packages.is_empty() {
        let _ = writeln!(text, "Packages: {}.\n", package_counts(packages));
        return;
    }
    let rpm = packages
        .rpm
        .then(|| "the database of rpm differs".to_owned());
    let lines = packages.changed.iter().map(|change| {
        let name = code(&change.name);
        match (&change.from, &change.to) {
            (Some(from), Some(to)) => format!("{name} {} → {}", code(from), code(to)),
            (Some(from), None) => format!("{name} {} gone", code(from)),
            (_, to) => format!("{name} {} new", code(to.as_deref().unwrap_or_default())),
        }
    });
    let title = format!("Packages: {}", package_counts(packages));
    details(text, &title, rpm.into_iter().chain(lines));
}
