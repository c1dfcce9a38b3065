//! The difference between two images as Markdown, for a pull request and for the message of a commit.
//!
//! Text of images, registries and lock files is only shown as code, so it cannot become a link, an HTML element, a mention
//! or a command. The length is limited: GitHub takes 65,536 characters for a pull request.
//!
//! Source: GitHub Flavored Markdown, "Code spans".

use std::fmt::Write as _;

use super::Options;
use super::config::{ConfigChange, EntryChange};
use super::image::{ImageDiff, Side};
use super::layers::ListedLayer;
use super::locks::{LockDiff, LockedChange, LockedState, PlatformDiff};
use super::packages::PackageChanges;
use super::text::{abbreviated, base, layer_counts, package_counts};
use crate::printable::Printable;
use crate::size::Size;

/// The most entries of one list.
const MOST: usize = 50;

/// The longest text inside of a code span, in characters.
const LONGEST: usize = 200;

/// Images after this number of bytes have one line each.
const DETAILED: usize = 40_000;

/// Images after this number of bytes are only counted.
const LISTED: usize = 55_000;

/// The subject of a commit message is shorter than this, in characters.
const SUBJECT: usize = 72;

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

/// Returns the differences between two locks.
#[must_use]
pub fn locks(diff: &LockDiff, options: Options) -> String {
    let mut text = String::new();
    if diff.images.is_empty() {
        text.push_str("No image changed.\n");
    }
    let mut is_list = false;
    for (number, change) in diff.images.iter().enumerate() {
        if text.len() > LISTED {
            let more = diff.images.len() - number;
            let _ = writeln!(text, "- … and {more} more images");
            break;
        }
        if text.len() > DETAILED {
            if !is_list {
                text.push_str("### More images\n\n");
            }
            is_list = true;
            let _ = writeln!(
                text,
                "- {}: {}",
                code(change.name.as_str()),
                headline(change)
            );
            continue;
        }
        let _ = writeln!(
            text,
            "### {}: {}\n",
            code(change.name.as_str()),
            headline(change)
        );
        digests(&mut text, change);
        for (platform, of_platform) in &change.platforms {
            platform_body(
                &mut text,
                change,
                &code(&platform.to_string()),
                of_platform,
                options,
            );
        }
    }
    let fetch = diff.fetch.iter();
    let fetch: Vec<_> = fetch
        .map(|(platform, bytes)| format!("{} for {}", Size(*bytes), code(&platform.to_string())))
        .collect();
    if !fetch.is_empty() {
        let _ = writeln!(text, "\nTo fetch: {}.", fetch.join(", "));
    }
    text
}

/// Returns the message of a commit with the differences: a subject, and Markdown. It is empty without differences.
#[must_use]
pub fn commit_message(diff: &LockDiff) -> Vec<Printable> {
    if diff.images.is_empty() {
        return Vec::new();
    }
    let names: Vec<_> = diff.images.iter().map(subject_name).collect();
    let mut lines = vec![subject("Update", &names), String::new()];
    for change in &diff.images {
        lines.push(format!("- **{}**: {}", change.name, headline(change)));
        let digest = |state: &Option<LockedState>| state.as_ref().and_then(|state| state.digest);
        let (from, to) = (digest(&change.from), digest(&change.to));
        for (sign, digest) in [("-", from), ("+", to)] {
            if let Some(digest) = digest.filter(|_| from != to) {
                lines.push(format!("  {sign} {digest}"));
            }
        }
        for (platform, of_platform) in &change.platforms {
            let what = match of_platform {
                PlatformDiff::Removed(_) if change.to.is_none() => continue,
                PlatformDiff::Removed(_) => "removed".to_owned(),
                PlatformDiff::Changed(diff) if diff.is_same() => "unchanged".to_owned(),
                PlatformDiff::Added(_) | PlatformDiff::Changed(_) => fetch(change, platform),
            };
            lines.push(format!("  -  {platform}: {what}"));
            if let PlatformDiff::Changed(diff) = of_platform
                && let Some(link) = diff.compare_link()
            {
                lines.push(format!("     <{link}>"));
            }
        }
    }
    let lines = lines.iter();
    lines.map(|line| Printable::of_any_length(line)).collect()
}

/// Returns the subject of a commit: a verb with names, or with their number if they are too long.
#[must_use]
pub fn subject(verb: &str, names: &[String]) -> String {
    let subject = format!("{verb} {}", names.join(", "));
    if subject.chars().count() < SUBJECT {
        subject
    } else {
        format!("{verb} {} container images", names.len())
    }
}

/// Returns the name of an image for a subject, with its new tag if it moved from one tag to another.
fn subject_name(change: &LockedChange) -> String {
    let tag =
        |state: &Option<LockedState>| state.as_ref().and_then(|state| state.reference.tag.clone());
    match (tag(&change.from), tag(&change.to)) {
        (Some(old), Some(new)) if old != new => format!("{} to {new}", change.name),
        _ => change.name.to_string(),
    }
}

/// Returns the change of an image in a few words: of its tag and its version.
fn headline(change: &LockedChange) -> String {
    match (&change.from, &change.to) {
        (None, Some(new)) => format!("new, {}", code(&new.reference.to_string())),
        (Some(old), None) => format!("removed, {}", code(&old.reference.to_string())),
        (Some(old), Some(new)) => {
            let (from, to) = (old.reference.to_string(), new.reference.to_string());
            let mut text = if from == to {
                code(&to)
            } else {
                format!("{} → {}", code(&from), code(&to))
            };
            if let (Some(from), Some(to)) = (&old.version, &new.version)
                && from != to
            {
                let _ = write!(text, ", version {} → {}", code(from), code(to));
            }
            text
        }
        (None, None) => String::new(),
    }
}

fn digests(text: &mut String, change: &LockedChange) {
    let digest = |state: &Option<LockedState>| {
        let digest = state.as_ref().and_then(|state| state.digest)?;
        Some(code(&digest.to_string()))
    };
    let _ = match (digest(&change.from), digest(&change.to)) {
        (Some(from), Some(to)) if from != to => writeln!(text, "{from} → {to}\n"),
        (from, to) => writeln!(text, "{}\n", to.or(from).unwrap_or_default()),
    };
}

fn platform_body(
    text: &mut String,
    change: &LockedChange,
    platform: &str,
    diff: &PlatformDiff,
    options: Options,
) {
    match diff {
        PlatformDiff::Added(side) => {
            let bytes = Size(side.size);
            let _ = writeln!(
                text,
                "- {platform}: new, {} layers, {bytes}\n",
                side.layers.len()
            );
        }
        PlatformDiff::Removed(_) => {
            let _ = writeln!(text, "- {platform}: removed\n");
        }
        PlatformDiff::Changed(diff) if diff.is_same() => {
            let _ = writeln!(text, "- {platform}: unchanged\n");
        }
        PlatformDiff::Changed(diff) => {
            let _ = writeln!(
                text,
                "**{platform}**: {}\n",
                fetch(change, &diff.to.platform)
            );
            body(text, diff, options);
        }
    }
}

/// Returns what a host has to fetch for an image.
fn fetch(change: &LockedChange, platform: &crate::oci::platform::Platform) -> String {
    match change.fetch.get(platform) {
        Some(fetch) => format!(
            "{} of {} layers new, {} to fetch",
            fetch.new_layers,
            fetch.layers,
            Size(fetch.bytes)
        ),
        None => String::new(),
    }
}

fn body(text: &mut String, diff: &ImageDiff, options: Options) {
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
    let (old, new) = (&from.description, &to.description);
    for (name, old, new) in [
        ("version", &old.version, &new.version),
        ("revision", &old.revision, &new.revision),
        ("base", &base(from), &base(to)),
    ] {
        if old != new {
            let _ = writeln!(text, "- {name}: {}", arrow(old.as_deref(), new.as_deref()));
        }
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

/// Writes a list that a reader can open.
fn details(text: &mut String, title: &str, lines: impl Iterator<Item = String>) {
    let _ = writeln!(text, "<details><summary>{title}</summary>\n");
    list(text, "", lines);
    text.push_str("\n</details>\n\n");
}

fn list(text: &mut String, indentation: &str, mut lines: impl Iterator<Item = String>) {
    for line in lines.by_ref().take(MOST) {
        let _ = writeln!(text, "{indentation}- {}", line.trim_end());
    }
    let more = lines.count();
    if more > 0 {
        let _ = writeln!(text, "{indentation}- … and {more} more");
    }
}

fn arrow(from: Option<&str>, to: Option<&str>) -> String {
    let shown = |text: Option<&str>| text.map_or_else(|| "none".to_owned(), code);
    format!("{} → {}", shown(from), shown(to))
}

/// Returns a text as a code span. The text is printable, in one line, and cannot end the span.
fn code(text: &str) -> String {
    let text = Printable::at_most(LONGEST, text);
    let text = text.as_str();
    if text.trim().is_empty() {
        return "(empty)".to_owned();
    }
    let longest = text
        .split(|character| character != '`')
        .map(str::len)
        .max()
        .unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    // One space on each side is removed again, so the text may begin or end with a backtick.
    let space = if longest > 0 || text.starts_with(' ') || text.ends_with(' ') {
        " "
    } else {
        ""
    };
    format!("{fence}{space}{text}{space}{fence}")
}

#[cfg(test)]
mod tests {
    use super::code;

    #[test]
    fn a_code_span_holds_any_text() {
        for (text, expected) in [
            ("debian:12", "`debian:12`"),
            ("a`b", "`` a`b ``"),
            ("``", "``` `` ```"),
            ("<script>", "`<script>`"),
            ("a\n\n# b", "`a\\n\\n# b`"),
            ("](javascript:x)", "`](javascript:x)`"),
            ("\u{202e}x", "`\\u{202e}x`"),
            (" ", "(empty)"),
            ("", "(empty)"),
        ] {
            assert_eq!(code(text), expected);
        }
    }
}
