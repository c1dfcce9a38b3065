//! Writes a lock. The layout is explicit: every descriptor has its own line, so a diff shows the layers that changed.
//! The same lock always gives the same text.

use std::fmt::Write as _;

use super::{
    Following, INDEX_TEXT_VERSION, Lock, LockedImage, LockedIndex, LockedPlatform, OLDEST_VERSION,
    VERSION,
};
use crate::name::endpoint::Endpoint;
use crate::oci::descriptor::Descriptor;

impl Lock {
    /// Returns the text of the lock file.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = write!(text, "{{\n  \"version\": {},", self.version());
        if let Some(age) = self.min_age {
            let _ = write!(text, "\n  \"minAge\": {},", quoted(&age.to_string()));
        }
        text.push_str("\n  \"images\": {");
        let images = self
            .images
            .iter()
            .map(|(name, image)| (name.as_str(), image));
        members(&mut text, "    ", images, image);
        text.push_str(if self.images.is_empty() {
            "}\n}\n"
        } else {
            "\n  }\n}\n"
        });
        text
    }

    /// Returns the oldest version of the format that has the content, so that older programs can read it. A program that
    /// ignores a signer must not.
    fn version(&self) -> u64 {
        let mut images = self.images.values();
        let has_terms =
            |image: &LockedImage| !image.following().is_default() || image.signer().is_some();
        if self.min_age.is_some() || images.clone().any(has_terms) {
            return VERSION;
        }
        let has_text =
            |image: &LockedImage| image.index().is_some_and(|index| index.text.is_some());
        if images.any(has_text) {
            INDEX_TEXT_VERSION
        } else {
            OLDEST_VERSION
        }
    }
}

/// Writes members of an object, each on a new line.
fn members<K: ToString, T>(
    text: &mut String,
    indentation: &str,
    members: impl Iterator<Item = (K, T)>,
    write_value: impl Fn(&mut String, T),
) {
    for (number, (key, value)) in members.enumerate() {
        let comma = if number == 0 { "" } else { "," };
        let _ = write!(text, "{comma}\n{indentation}{}: ", quoted(&key.to_string()));
        write_value(text, value);
    }
}

fn image(text: &mut String, image: &LockedImage) {
    let reference = image.reference();
    let mut name = reference.full_name();
    if let Some(tag) = &reference.tag {
        let _ = write!(name, ":{tag}");
    }
    if let Some(digest) = &reference.digest {
        let _ = write!(name, "@{digest}");
    }
    let _ = write!(text, "{{\n      \"reference\": {}", quoted(&name));
    let registry_is_implied = Endpoint::of(&reference.registry).as_ref() == Ok(image.endpoint())
        && name.parse().as_ref() == Ok(reference);
    if !registry_is_implied {
        let _ = write!(
            text,
            ",\n      \"registry\": {}",
            quoted(image.endpoint().base().as_str())
        );
    }
    following(text, image.following());
    if let Some(LockedIndex {
        descriptor: index,
        text: index_text,
    }) = image.index()
    {
        let _ = write!(text, ",\n      \"index\": {}", descriptor(index));
        if let Some(index_text) = index_text {
            let _ = write!(text, ",\n      \"indexText\": {}", quoted(index_text));
        }
    }
    if let Some(signer) = image.signer() {
        let proofs: Vec<_> = signer.proofs.iter().map(ToString::to_string).collect();
        let _ = write!(
            text,
            ",\n      \"signedBy\": {},\n      \"proofs\": {}",
            signer.signed_by(),
            serde_json::Value::from(proofs)
        );
    }
    text.push_str(",\n      \"platforms\": {");
    members(text, "        ", image.platforms().iter(), platform);
    text.push_str("\n      }\n    }");
}

/// Writes how an image is followed. What waits has a line for each tag.
fn following(text: &mut String, following: &Following) {
    if let Some(pattern) = &following.pattern {
        let _ = write!(text, ",\n      \"follow\": {}", quoted(pattern.as_str()));
    }
    if let Some(age) = following.min_age {
        let _ = write!(text, ",\n      \"minAge\": {}", quoted(&age.to_string()));
    }
    if following.pending.is_empty() {
        return;
    }
    text.push_str(",\n      \"pending\": [");
    for (number, pending) in following.pending.iter().enumerate() {
        let comma = if number == 0 { "" } else { "," };
        let _ = write!(
            text,
            "{comma}\n        {{\"tag\": {}, \"digest\": \"{}\", \"firstSeen\": {}}}",
            quoted(pending.tag.as_str()),
            pending.digest,
            quoted(pending.first_seen.as_str())
        );
    }
    text.push_str("\n      ]");
}

fn platform(text: &mut String, locked: &LockedPlatform) {
    text.push('{');
    if let Some(created) = &locked.created {
        let _ = write!(
            text,
            "\n          \"created\": {},",
            quoted(created.as_str())
        );
    }
    let manifest = String::from_utf8_lossy(locked.manifest.bytes());
    let _ = write!(
        text,
        "\n          \"manifest\": {},\n          \"config\": {},\n          \"layers\": [",
        quoted(&manifest),
        descriptor(&locked.manifest.config)
    );
    for (number, layer) in locked.manifest.layers.iter().enumerate() {
        let comma = if number == 0 { "" } else { "," };
        let _ = write!(text, "{comma}\n            {}", descriptor(layer));
    }
    text.push_str(if locked.manifest.layers.is_empty() {
        "]"
    } else {
        "\n          ]"
    });
    text.push_str("\n        }");
}

/// Returns a descriptor with its three required fields.
fn descriptor(descriptor: &Descriptor) -> String {
    format!(
        "{{\"mediaType\": {}, \"digest\": \"{}\", \"size\": {}}}",
        quoted(descriptor.media_type.as_str()),
        descriptor.digest,
        descriptor.size
    )
}

/// Returns the text as a JSON string.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
