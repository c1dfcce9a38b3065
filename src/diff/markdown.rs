//! Differences as Markdown, for a pull request and for the message of a commit.
//!
//! Text of images, registries and lock files is only shown as code, so it cannot become a link, an HTML element, a mention
//! or a command. The length is limited: GitHub takes 65,536 characters for a pull request.
//!
//! Source: GitHub Flavored Markdown, "Code spans".

mod commit;
mod image;
mod syntax;

use std::fmt::Write as _;

pub use self::commit::{commit_message, subject};
pub use self::image::image;
use self::syntax::code;
use super::Options;
use super::locks::{LockDiff, LockedChange, LockedState, PlatformDiff};
use crate::oci::platform::Platform;
use crate::size::Size;

/// Images after this number of bytes have one line each.
const DETAILED: usize = 40_000;

/// Images after this number of bytes are only counted.
const LISTED: usize = 55_000;

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
            image::body(text, diff, options);
        }
    }
}

/// Returns what a host has to fetch for an image.
fn fetch(change: &LockedChange, platform: &Platform) -> String {
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
