//! The layers that only one of two images has.

use std::collections::HashMap;

use super::history::{self, HistoryEntry};
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::{DiffId, Digest};

/// A layer of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedLayer {
    /// The digest.
    pub digest: Digest,
    /// The size in bytes, as it is transferred.
    pub size: u64,
    /// The digest of the decompressed layer, if the config is known.
    pub diff_id: Option<DiffId>,
    /// The instruction that made the layer, if the config has a history that fits the layers.
    pub instruction: Option<String>,
}

impl ListedLayer {
    /// Lists the layers of a manifest, lowest first. `diff_ids` and `history` are empty if the config is unknown.
    pub(super) fn list(
        layers: &[Descriptor],
        diff_ids: &[DiffId],
        history: &[HistoryEntry],
    ) -> Vec<Self> {
        let instructions = history::of_layers(history, layers.len());
        layers
            .iter()
            .zip(instructions)
            .enumerate()
            .map(|(number, (layer, instruction))| Self {
                digest: layer.digest,
                size: layer.size,
                diff_id: diff_ids.get(number).copied(),
                instruction: instruction.map(str::to_owned),
            })
            .collect()
    }
}

/// The difference between the layers of two images.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LayerChanges {
    /// The layers that only the old image has, lowest first.
    pub gone: Vec<ListedLayer>,
    /// The layers that only the new image has, lowest first.
    pub new: Vec<ListedLayer>,
    /// The number of layers that both images have.
    pub kept: usize,
    /// The number of these layers that have another digest, because only the compression differs.
    pub repacked: usize,
}

impl LayerChanges {
    /// Compares the layers of two images, by their digest or else by their content.
    pub(super) fn between(old: &[ListedLayer], new: &[ListedLayer]) -> Self {
        let mut by_digest: HashMap<Digest, Vec<usize>> = HashMap::new();
        let mut by_content: HashMap<DiffId, Vec<usize>> = HashMap::new();
        for (position, layer) in old.iter().enumerate().rev() {
            by_digest.entry(layer.digest).or_default().push(position);
            if let Some(diff_id) = layer.diff_id {
                by_content.entry(diff_id).or_default().push(position);
            }
        }
        let mut is_kept = vec![false; old.len()];
        // An image may have a layer twice, so each old layer is kept at most once.
        let mut keep = |positions: Option<&mut Vec<usize>>| {
            let positions = positions?;
            while let Some(position) = positions.pop() {
                if let Some(kept) = is_kept.get_mut(position).filter(|kept| !**kept) {
                    *kept = true;
                    return Some(());
                }
            }
            None
        };
        let mut changes = Self::default();
        for layer in new {
            if keep(by_digest.get_mut(&layer.digest)).is_some() {
                changes.kept += 1;
            } else if let Some(diff_id) = layer.diff_id
                && keep(by_content.get_mut(&diff_id)).is_some()
            {
                changes.kept += 1;
                changes.repacked += 1;
            } else {
                changes.new.push(layer.clone());
            }
        }
        let gone = old.iter().zip(&is_kept).filter(|(_, kept)| !**kept);
        changes.gone = gone.map(|(layer, _)| layer.clone()).collect();
        changes
    }

    /// Returns whether all layers have the same content.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.gone.is_empty() && self.new.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers(contents: &[(&str, &str)]) -> Vec<ListedLayer> {
        let layer = |(blob, plain): &(&str, &str)| ListedLayer {
            digest: Digest::of(blob.as_bytes()),
            size: 1,
            diff_id: Some(DiffId::new(Digest::of(plain.as_bytes()))),
            instruction: None,
        };
        contents.iter().map(layer).collect()
    }

    #[test]
    fn layers_are_compared_by_digest_and_by_content() {
        for (old, new, gone, added, kept, repacked) in [
            (
                &[("a", "a"), ("b", "b")][..],
                &[("a", "a"), ("c", "c")][..],
                1,
                1,
                1,
                0,
            ),
            (&[("a", "x")], &[("b", "x")], 0, 0, 1, 1),
            (&[("a", "a"), ("a", "a")], &[("a", "a")], 1, 0, 1, 0),
            (&[("a", "a")], &[("a", "a"), ("a", "a")], 0, 1, 1, 0),
            (&[], &[], 0, 0, 0, 0),
        ] {
            let changes = LayerChanges::between(&layers(old), &layers(new));
            assert_eq!(
                (
                    changes.gone.len(),
                    changes.new.len(),
                    changes.kept,
                    changes.repacked
                ),
                (gone, added, kept, repacked),
                "{old:?} {new:?}"
            );
        }
    }
}
