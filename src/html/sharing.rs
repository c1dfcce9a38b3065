//! The layers of images as coloured bars. A layer of several images has the same colour in all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::Text;
use crate::lock::{Lock, LockedPlatform, Name};
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::Digest;
use crate::size::Size;

/// The number of colours in the style sheet.
const COLOURS: usize = 7;

/// The width of a bar in its own units.
const WIDTH: f64 = 1000.0;

/// The least width of a layer in a bar.
const NARROWEST: f64 = 4.0;

/// A layer that several images have.
pub(super) struct SharedLayer {
    pub(super) layer: Descriptor,
    pub(super) images: BTreeSet<Name>,
    pub(super) colour: usize,
}

impl SharedLayer {
    /// Returns the number of bytes that sharing saves.
    pub(super) fn saved(&self) -> u64 {
        let others = (self.images.len() as u64).saturating_sub(1);
        self.layer.size.saturating_mul(others)
    }
}

/// The layers of all images and platforms of a lock.
pub(super) struct Sharing {
    /// The layers of several images, by digest.
    pub(super) layers: BTreeMap<Digest, SharedLayer>,
    /// The size in bytes of the distinct layers.
    pub(super) stored: u64,
    /// The size in bytes of the layers of all images, each image for itself.
    pub(super) total: u64,
}

impl Sharing {
    pub(super) fn of(lock: &Lock) -> Self {
        let mut layers: BTreeMap<Digest, SharedLayer> = BTreeMap::new();
        let mut total = 0u64;
        for (name, image) in &lock.images {
            let mut own = BTreeMap::new();
            for locked in image.platforms().values() {
                for layer in &locked.manifest.layers {
                    own.insert(layer.digest, layer);
                }
            }
            for (digest, layer) in own {
                total = total.saturating_add(layer.size);
                let shared = layers.entry(digest).or_insert_with(|| SharedLayer {
                    layer: layer.clone(),
                    images: BTreeSet::new(),
                    colour: 0,
                });
                shared.images.insert(name.clone());
            }
        }
        let sizes = layers.values().map(|shared| shared.layer.size);
        let stored = sizes.fold(0, u64::saturating_add);
        layers.retain(|_, shared| shared.images.len() > 1);
        let mut sharing = Self {
            layers,
            stored,
            total,
        };
        for (number, digest) in sharing.by_saving().into_iter().enumerate() {
            if let Some(shared) = sharing.layers.get_mut(&digest) {
                shared.colour = number % COLOURS;
            }
        }
        sharing
    }

    /// Returns the layers of several images, those that save most first.
    pub(super) fn by_saving(&self) -> Vec<Digest> {
        let mut layers: Vec<_> = self.layers.iter().collect();
        layers.sort_by_key(|(digest, shared)| (std::cmp::Reverse(shared.saved()), **digest));
        layers.into_iter().map(|(digest, _)| *digest).collect()
    }

    /// Returns the part of an image's bytes that other images have too.
    pub(super) fn shared_bytes(&self, locked: &LockedPlatform) -> u64 {
        let layers = locked.manifest.layers.iter();
        let shared: BTreeMap<_, _> = layers
            .filter(|layer| self.layers.contains_key(&layer.digest))
            .map(|layer| (layer.digest, layer.size))
            .collect();
        shared
            .values()
            .fold(0, |sum, size| sum.saturating_add(*size))
    }

    /// Draws the layers of an image, lowest first, each as wide as it is large.
    pub(super) fn bar(&self, locked: &LockedPlatform) -> String {
        let layers = &locked.manifest.layers;
        let sum: f64 = layers.iter().map(|layer| length(layer.size)).sum();
        let gaps = length(layers.len() as u64) * NARROWEST;
        let scale = (WIDTH - gaps).max(WIDTH / 10.0) / sum.max(1.0);
        let mut bar = String::new();
        let mut at = 0.0;
        for layer in layers {
            let width = NARROWEST + length(layer.size) * scale;
            let shared = self.layers.get(&layer.digest);
            let (class, images) = match shared {
                Some(shared) => (
                    format!("c{}", shared.colour),
                    format!(", in {} images", shared.images.len()),
                ),
                None => ("own".to_owned(), String::new()),
            };
            let title = format!("{} {}{images}", layer.digest, Size(layer.size));
            // Writing to a String cannot fail.
            let _ = write!(
                bar,
                "<rect class=\"{class}\" x=\"{at:.1}\" width=\"{:.1}\" height=\"10\"><title>{}</title></rect>",
                (width - 1.5).max(1.0),
                Text::new(title)
            );
            at += width;
        }
        format!(
            "<svg class=\"layers\" viewBox=\"0 0 {:.1} 10\" preserveAspectRatio=\"none\" role=\"img\" \
             aria-label=\"{} layers\">{bar}</svg>",
            at.max(1.0),
            layers.len()
        )
    }
}

#[expect(clippy::cast_precision_loss, reason = "a bar needs no more precision")]
fn length(bytes: u64) -> f64 {
    bytes as f64
}
