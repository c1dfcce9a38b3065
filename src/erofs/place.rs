//! Where inodes are. An inode, its extended attributes and the bytes behind them never cross the border of a block,
//! because the kernel refuses bytes that do.

use super::format::{BLOCK, SLOT};

/// How many blocks that are not full are tried. More make an image hardly smaller.
const OPEN: usize = 16;

/// The area of inodes, while it grows. Addresses are in slots from its start.
#[derive(Debug)]
pub(super) struct Places {
    /// Blocks with free slots: the first free one, and the number of them.
    open: Vec<(u64, u64)>,
    blocks: u64,
}

/// The number of slots in a block.
const SLOTS: u64 = (BLOCK / SLOT) as u64;

impl Places {
    /// The first slot stays empty, because programs do not expect an inode with the number 0.
    pub(super) fn new() -> Self {
        Self {
            open: vec![(1, SLOTS - 1)],
            blocks: 1,
        }
    }

    /// Takes the first place with `bytes` free bytes, which are at most a block.
    pub(super) fn take(&mut self, bytes: usize) -> u64 {
        let slots = (bytes.div_ceil(SLOT) as u64).min(SLOTS);
        if let Some(place) = self.open.iter().position(|(_, free)| *free >= slots)
            && let Some((first, free)) = self.open.get_mut(place)
        {
            let taken = *first;
            *first += slots;
            *free -= slots;
            if *free == 0 {
                self.open.remove(place);
            }
            return taken;
        }
        let first = self.blocks * SLOTS;
        self.blocks += 1;
        if self.open.len() == OPEN {
            let fullest = self
                .open
                .iter()
                .enumerate()
                .min_by_key(|(_, (_, free))| *free);
            if let Some((place, _)) = fullest {
                self.open.remove(place);
            }
        }
        if slots < SLOTS {
            self.open.push((first + slots, SLOTS - slots));
        }
        first
    }

    /// The size of the area in blocks.
    pub(super) fn blocks(&self) -> u64 {
        self.blocks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_block_with_room_is_taken() {
        let mut places = Places::new();
        assert_eq!(places.take(64), 1);
        assert_eq!(places.take(BLOCK), 128);
        assert_eq!(places.take(BLOCK - 32), 256);
        assert_eq!(places.take(33), 3);
        assert_eq!(places.take(3968), 384);
        assert_eq!(places.take(32), 5);
        assert_eq!(places.blocks(), 4);
    }

    proptest! {
        #[test]
        fn no_place_is_taken_twice_or_crosses_a_block(
            sizes in prop::collection::vec(1..=BLOCK, 1..200),
        ) {
            let mut places = Places::new();
            let mut taken: Vec<_> = sizes
                .iter()
                .map(|size| (places.take(*size), size.div_ceil(SLOT) as u64))
                .collect();
            taken.sort_unstable();
            let mut end = 1;
            for (first, slots) in taken {
                prop_assert!(first >= end);
                end = first + slots;
                prop_assert_eq!(first / SLOTS, (end - 1) / SLOTS);
            }
            prop_assert!(end <= places.blocks() * SLOTS);
        }
    }
}
