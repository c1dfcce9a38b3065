//! The text of an override file that pins images by their digests. Compose merges it into a project with `--file`, or by
//! itself if it is named `compose.override.yaml`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::images::ImageVolume;
use crate::name::Reference;
use crate::oci::digest::Digest;
use crate::printable::is_printable;

/// The first line of each override file.
pub const HEADER: &str = "# Written by `hocker lock compose`. Changes are lost.";

/// The pinned images of services.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pins {
    services: BTreeMap<String, Pinned>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Pinned {
    image: Option<String>,
    volumes: Vec<(ImageVolume, String)>,
}

impl Pins {
    /// Pins the image of a service.
    pub fn service(&mut self, name: &str, image: &Reference, digest: &Digest) {
        let pinned = self.services.entry(name.to_owned()).or_default();
        pinned.image = Some(with_digest(image, digest));
    }

    /// Pins the image of a volume.
    pub fn volume(&mut self, volume: &ImageVolume, image: &Reference, digest: &Digest) {
        let pinned = self.services.entry(volume.service.clone()).or_default();
        let image = with_digest(image, digest);
        pinned.volumes.push((volume.clone(), image));
    }

    /// Returns the override file. It repeats all fields of a volume, because Compose replaces volumes as a whole.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("{HEADER}\n");
        if self.services.is_empty() {
            text.push_str("services: {}\n");
            return text;
        }
        text.push_str("services:\n");
        // Writing to a String cannot fail.
        for (name, pinned) in &self.services {
            let _ = writeln!(text, "  {}:", quoted(name));
            if let Some(image) = &pinned.image {
                let _ = writeln!(text, "    image: {}", value(image));
            }
            if !pinned.volumes.is_empty() {
                text.push_str("    volumes:\n");
            }
            for (volume, image) in &pinned.volumes {
                let _ = writeln!(
                    text,
                    "      - type: image\n        source: {}",
                    value(image)
                );
                let _ = writeln!(text, "        target: {}", value(&volume.target));
                if let Some(read_only) = volume.read_only {
                    let _ = writeln!(text, "        read_only: {read_only}");
                }
                if let Some(consistency) = &volume.consistency {
                    let _ = writeln!(text, "        consistency: {}", value(consistency));
                }
                if let Some(subpath) = &volume.subpath {
                    let _ = writeln!(
                        text,
                        "        image:\n          subpath: {}",
                        value(subpath)
                    );
                }
            }
        }
        text
    }
}

fn with_digest(image: &Reference, digest: &Digest) -> String {
    let name = image.familiar_name();
    match &image.tag {
        Some(tag) => format!("{name}:{tag}@{digest}"),
        None => format!("{name}@{digest}"),
    }
}

/// Returns a value whose variables Compose does not replace again.
fn value(text: &str) -> String {
    quoted(&text.replace('$', "$$"))
}

/// Returns a text as a double-quoted scalar of YAML (YAML 1.2, section 5.7).
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            character if is_printable(character) => quoted.push(character),
            character => {
                let _ = write!(quoted, "\\U{:08x}", u32::from(character));
            }
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::yaml::{Node, parse};

    #[test]
    fn any_text_survives_in_the_file() {
        let digest = Digest::of(b"");
        let image: Reference = "localhost:5000/app:1".parse().unwrap();
        let odd = "a\"b\\c: #\n\u{202e}'%@";
        let mut pins = Pins::default();
        pins.service(odd, &image, &digest);
        let volume = ImageVolume {
            service: odd.to_owned(),
            target: format!("/$HOME/{odd}"),
            image: "x".to_owned(),
            written: "x".to_owned(),
            subpath: Some("- x".to_owned()),
            read_only: Some(true),
            consistency: None,
        };
        pins.volume(&volume, &image, &digest);
        let documents = parse(&pins.text()).unwrap();
        let services = documents[0].get("services").unwrap();
        let service = services.get(odd).unwrap();
        let pinned = format!("localhost:5000/app:1@{digest}");
        assert_eq!(service.get("image").and_then(Node::text), Some(&*pinned));
        let volumes = service.get("volumes").and_then(Node::items).unwrap();
        let text = |name| volumes[0].get(name).and_then(Node::text);
        assert_eq!(text("source"), Some(&*pinned));
        assert_eq!(text("target"), Some(&*format!("/$$HOME/{odd}")));
        assert_eq!(text("read_only"), Some("true"));
        let options = volumes[0].get("image").unwrap();
        assert_eq!(options.get("subpath").and_then(Node::text), Some("- x"));
        assert!(
            parse(&Pins::default().text()).unwrap()[0]
                .get("services")
                .is_some()
        );
    }
}
