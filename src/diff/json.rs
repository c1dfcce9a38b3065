//! The difference between two images as JSON. Text of images is unchanged, but for the escapes of JSON: control,
//! bidirectional and invisible characters are written as `\u…`.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::Options;
use super::config::{ConfigChange, EntryChange, SetChange};
use super::image::{ImageDiff, Side};
use super::layers::ListedLayer;
use super::locks::{LockDiff, LockedState, PlatformDiff};
use super::packages::PackageChanges;
use crate::oci::digest::DiffId;
use crate::printable::is_printable;

/// Returns the difference between two images.
#[must_use]
pub fn image(diff: &ImageDiff, options: Options) -> String {
    text(&Value::Object(of_image(diff, options)))
}

/// Returns the differences between two locks.
#[must_use]
pub fn locks(diff: &LockDiff, options: Options) -> String {
    let images = diff.images.iter().map(|change| {
        let platforms = change.platforms.iter().map(|(platform, diff)| {
            let value = match diff {
                PlatformDiff::Added(side) => json!({"change": "added", "to": of_side(side)}),
                PlatformDiff::Removed(side) => json!({"change": "removed", "from": of_side(side)}),
                PlatformDiff::Changed(diff) => {
                    let change = if diff.is_same() {
                        "unchanged"
                    } else {
                        "changed"
                    };
                    let mut fields = of_image(diff, options);
                    fields.insert("change".to_owned(), json!(change));
                    Value::Object(fields)
                }
            };
            (platform.to_string(), value)
        });
        let change_kind = match (&change.from, &change.to) {
            (None, _) => "added",
            (_, None) => "removed",
            _ => "changed",
        };
        json!({
            "name": change.name.as_str(),
            "change": change_kind,
            "from": change.from.as_ref().map(state),
            "to": change.to.as_ref().map(state),
            "platforms": platforms.collect::<Map<_, _>>(),
        })
    });
    let fetch = diff.fetch.iter();
    let fetch = fetch.map(|(platform, bytes)| (platform.to_string(), json!(bytes)));
    text(&json!({
        "changed": images.collect::<Vec<_>>(),
        "fetch": fetch.collect::<Map<_, _>>(),
    }))
}

fn state(state: &LockedState) -> Value {
    json!({
        "reference": state.reference.to_string(),
        "tag": state.reference.tag.as_ref().map(ToString::to_string),
        "digest": state.digest,
        "version": state.version,
    })
}

fn of_image(diff: &ImageDiff, options: Options) -> Map<String, Value> {
    let fields = [
        ("from", json!(of_side(&diff.from))),
        ("to", json!(of_side(&diff.to))),
        ("same", json!(diff.is_same())),
        (
            "config",
            json!(
                diff.config
                    .as_ref()
                    .map(|config| configuration(config, options))
            ),
        ),
        (
            "layers",
            json!({
                "new": diff.layers.new.iter().map(layer).collect::<Vec<_>>(),
                "gone": diff.layers.gone.iter().map(layer).collect::<Vec<_>>(),
                "kept": diff.layers.kept,
                "repacked": diff.layers.repacked,
            }),
        ),
        ("packages", json!(diff.packages.as_ref().map(packages))),
        ("compare", json!(diff.compare_link())),
        ("notes", json!(diff.notes)),
    ];
    fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn of_side(side: &Side) -> Value {
    let description = &side.description;
    json!({
        "name": side.name,
        "platform": side.platform.to_string(),
        "index": side.index,
        "manifest": side.manifest,
        "size": side.size,
        "layers": side.layers.len(),
        "version": description.version,
        "source": description.source,
        "revision": description.revision,
        "base": {"name": description.base_name, "digest": description.base_digest},
    })
}

fn layer(layer: &ListedLayer) -> Value {
    json!({
        "digest": layer.digest,
        "size": layer.size,
        "diffId": layer.diff_id.as_ref().map(DiffId::digest),
        "instruction": layer.instruction,
    })
}

fn configuration(config: &ConfigChange, options: Options) -> Value {
    let fields = config.fields.iter();
    let fields = fields.map(|field| {
        let change = json!({"from": field.from, "to": field.to});
        (field.name.to_owned(), change)
    });
    json!({
        "fields": fields.collect::<Map<_, _>>(),
        "environment": entries(&config.environment, options.values),
        "labels": entries(&config.labels, true),
        "ports": set(&config.ports),
        "volumes": set(&config.volumes),
    })
}

fn entries(entries: &[EntryChange], values: bool) -> Value {
    let entries = entries.iter().map(|entry| {
        let change = match (&entry.from, &entry.to) {
            (None, _) => "added",
            (_, None) => "removed",
            _ => "changed",
        };
        if values {
            json!({"name": entry.name, "change": change, "from": entry.from, "to": entry.to})
        } else {
            json!({"name": entry.name, "change": change})
        }
    });
    Value::Array(entries.collect())
}

fn set(change: &SetChange) -> Value {
    json!({"added": change.added, "removed": change.removed})
}

fn packages(packages: &PackageChanges) -> Value {
    let changed = packages.changed.iter().map(|change| {
        json!({
            "manager": change.manager.name(),
            "name": change.name,
            "from": change.from,
            "to": change.to,
        })
    });
    json!({
        "changed": changed.collect::<Vec<_>>(),
        "kept": packages.kept,
        "rpmDatabaseChanged": packages.rpm,
    })
}

/// Returns a value as indented text, without characters that cannot be printed.
fn text(value: &Value) -> String {
    let text = format!("{value:#}\n");
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if character == '\n' || is_printable(character) {
            safe.push(character);
        } else {
            // Such a character occurs only inside of strings, since JSON's own characters can be printed.
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(safe, "\\u{unit:04x}");
            }
        }
    }
    safe
}
