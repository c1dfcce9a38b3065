//! The layers that images share. Images with a common base are next to each other, and the base is one block below all
//! of them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Lock, Name};
use crate::name::Reference;
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::Digest;
use crate::oci::platform::Platform;

/// The images of a lock for one platform, and their layers.
#[derive(Clone, Debug)]
pub struct Graph {
    /// The platform.
    pub platform: Platform,
    /// The images, those with a common base next to each other.
    pub rows: Vec<Row>,
    /// The layers, each after the one below it.
    pub blocks: Vec<Block>,
}

/// An image of a [`Graph`].
#[derive(Clone, Debug)]
pub struct Row {
    /// The name.
    pub name: Name,
    /// The reference.
    pub reference: Reference,
    /// The size of its layers in bytes.
    pub size: u64,
}

/// A layer in neighbouring images that have the same layers below it.
#[derive(Clone, Debug)]
pub struct Block {
    /// The layer.
    pub layer: Descriptor,
    /// The index of the block below in [`Graph::blocks`].
    pub below: Option<usize>,
    /// The first row of the images with this block.
    pub first_row: usize,
    /// The number of these rows.
    pub rows: usize,
    /// The number of images with the layer, on any layers below it.
    pub images: usize,
}

/// A layer of several images.
#[derive(Clone, Debug)]
pub struct Shared {
    /// The layer.
    pub layer: Descriptor,
    /// The images.
    pub images: BTreeSet<Name>,
}

impl Shared {
    /// Returns the number of bytes that sharing saves.
    #[must_use]
    pub fn saved(&self) -> u64 {
        self.layer.size * (self.images.len() as u64).saturating_sub(1)
    }
}

impl Graph {
    /// Returns the graph of those images that are locked for `platform`.
    #[must_use]
    pub fn of(lock: &Lock, platform: &Platform) -> Self {
        let mut graph = Self {
            platform: platform.clone(),
            rows: Vec::new(),
            blocks: Vec::new(),
        };
        let mut images: Vec<_> = lock
            .images
            .iter()
            .filter_map(|(name, image)| {
                let locked = image.platforms().get(platform)?;
                let row = Row {
                    name: name.clone(),
                    reference: image.reference().clone(),
                    size: locked.size(),
                };
                Some((row, locked.manifest.layers.as_slice()))
            })
            .collect();
        let owners = owners(&images);
        graph.stack(&mut images, 0, None, &owners);
        graph
    }

    /// Adds the rows and blocks of a group of images, which have the layers below `depth` in common.
    fn stack(
        &mut self,
        images: &mut [(Row, &[Descriptor])],
        depth: usize,
        below: Option<usize>,
        owners: &Owners,
    ) {
        // Groups are sorted by their first names. An image without further layers is before the others.
        let layer_of = |image: &(Row, &[Descriptor])| image.1.get(depth).map(|layer| layer.digest);
        let mut first_names: BTreeMap<Option<Digest>, Name> = BTreeMap::new();
        for image in images.iter() {
            let name = first_names
                .entry(layer_of(image))
                .or_insert_with(|| image.0.name.clone());
            if image.0.name < *name {
                name.clone_from(&image.0.name);
            }
        }
        images.sort_by_cached_key(|image| {
            let layer = layer_of(image);
            (
                layer.is_some(),
                first_names.get(&layer).cloned(),
                image.0.name.clone(),
            )
        });
        for group in images.chunk_by_mut(|one, next| layer_of(one) == layer_of(next)) {
            let layer = group.first().and_then(|(_, layers)| layers.get(depth));
            let Some(layer) = layer else {
                self.rows.extend(group.iter().map(|(row, _)| row.clone()));
                continue;
            };
            let block = self.blocks.len();
            self.blocks.push(Block {
                layer: layer.clone(),
                below,
                first_row: self.rows.len(),
                rows: group.len(),
                images: owners.get(&layer.digest).map_or(1, BTreeSet::len),
            });
            self.stack(group, depth + 1, Some(block), owners);
        }
    }

    /// Returns the layers that several images share, those that save most first.
    #[must_use]
    pub fn shared(&self) -> Vec<Shared> {
        let mut layers: BTreeMap<Digest, Shared> = BTreeMap::new();
        for block in self.blocks.iter().filter(|block| block.images > 1) {
            let shared = layers.entry(block.layer.digest).or_insert_with(|| Shared {
                layer: block.layer.clone(),
                images: BTreeSet::new(),
            });
            let rows = self.rows.iter().skip(block.first_row).take(block.rows);
            shared.images.extend(rows.map(|row| row.name.clone()));
        }
        let mut layers: Vec<_> = layers.into_values().collect();
        layers.sort_by_key(|shared| (std::cmp::Reverse(shared.saved()), shared.layer.digest));
        layers
    }

    /// Returns the size in bytes of the layers of all images, without sharing.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.rows.iter().map(|row| row.size).sum()
    }

    /// Returns the size in bytes of the distinct layers.
    #[must_use]
    pub fn stored(&self) -> u64 {
        let layers = self
            .blocks
            .iter()
            .map(|block| (block.layer.digest, block.layer.size));
        layers.collect::<BTreeMap<_, _>>().values().sum()
    }
}

/// The images with a layer.
type Owners = BTreeMap<Digest, BTreeSet<Name>>;

fn owners(images: &[(Row, &[Descriptor])]) -> Owners {
    let mut owners = Owners::new();
    for (row, layers) in images {
        for layer in *layers {
            let names = owners.entry(layer.digest).or_default();
            names.insert(row.name.clone());
        }
    }
    owners
}
