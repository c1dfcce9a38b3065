//! Where the layers of an archive go while they come, several at a time.
//!
//! A layer's place depends on the sizes of those before it, which are certain only when they have been
//! decompressed. So sizes are expected, and a layer goes to the place that it has if the expectations hold: they
//! save a copy and decide nothing else. Where nothing is expected, or too much or too little was, a layer goes to a
//! file without a name, and is copied when its place is certain.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::header::{Error, header_size, padding};
use super::placed::{Placed, copy};

/// What is known of an archive's layers, and where each belongs; shared by those who write them.
#[derive(Debug)]
pub struct Slots {
    archive: File,
    /// Where the files without a name are.
    directory: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Where the first layer's header begins.
    start: u64,
    slots: Vec<Slot>,
    /// So many layers have a place that depends on the sizes of those before them.
    relied_on: usize,
    /// A size on which a place depends was wrong: no more places are given.
    is_wrong: bool,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    /// The size of its header.
    header: u64,
    /// Its size, expected or certain.
    size: Option<u64>,
    /// Where its content begins, once that was told.
    place: Option<u64>,
    /// So many bytes of it have come.
    written: u64,
}

impl Slots {
    /// Layers of these names, to come next in an archive that lies in the file `archive`, too. Files without a name
    /// go to `directory`.
    pub fn new<'n>(
        placed: &Placed<'_>,
        archive: File,
        directory: &Path,
        names: impl IntoIterator<Item = &'n str>,
    ) -> Result<Self, Error> {
        let slot = |name| {
            Ok(Slot {
                header: header_size(name)?,
                size: None,
                place: None,
                written: 0,
            })
        };
        Ok(Self {
            archive,
            directory: directory.to_owned(),
            state: Mutex::new(State {
                start: placed.position(),
                slots: names.into_iter().map(slot).collect::<Result<_, Error>>()?,
                relied_on: 0,
                is_wrong: false,
            }),
        })
    }

    /// Expects that layer `number` has `size` bytes, if that is not known to be wrong or certain.
    pub fn expect(&self, number: usize, size: u64) {
        if let Some(slot) = self.state().slots.get_mut(number)
            && slot.size.is_none()
            && slot.written <= size
        {
            slot.size = Some(size);
        }
    }

    /// Whether the size of layer `number` is expected or certain.
    #[must_use]
    pub fn expects(&self, number: usize) -> bool {
        let state = self.state();
        state
            .slots
            .get(number)
            .is_some_and(|slot| slot.size.is_some())
    }

    /// Begins to write layer `number`.
    pub fn writer(self: &Arc<Self>, number: usize) -> io::Result<LayerWriter> {
        let place = self.state().grow(number, 0);
        Ok(LayerWriter {
            slots: Arc::clone(self),
            number,
            written: 0,
            at: match place {
                Some(offset) => At::Place(offset),
                None => At::Elsewhere(tempfile::tempfile_in(&self.directory)?),
            },
        })
    }

    /// Makes layers that were written, under their names, the next members of the archive.
    pub fn settle<'n>(
        &self,
        placed: &mut Placed<'_>,
        layers: impl IntoIterator<Item = (&'n str, Written)>,
    ) -> Result<(), Error> {
        let mut layers: Vec<_> = layers.into_iter().collect();
        // What lies where others belong is brought away first.
        let mut position = placed.position();
        for (name, layer) in &mut layers {
            let offset = position + header_size(name)?;
            if let At::Place(other) = layer.at
                && other != offset
            {
                let moved = self.move_out(other, layer.size);
                layer.at = At::Elsewhere(moved.map_err(|source| Error::Copy {
                    name: (*name).to_owned(),
                    source,
                })?);
            }
            position = offset + layer.size + padding(layer.size);
        }
        for (name, layer) in layers {
            match layer.at {
                At::Place(_) => placed.reserve(name, layer.size).map(drop)?,
                At::Elsewhere(file) => placed.file(name, &file, layer.size)?,
            }
        }
        Ok(())
    }

    /// Copies the first bytes of a layer from its place to a file without a name.
    fn move_out(&self, offset: u64, size: u64) -> io::Result<File> {
        let file = tempfile::tempfile_in(&self.directory)?;
        copy_whole((&self.archive, offset), (&file, 0), size)?;
        Ok(file)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Says where a layer belongs that is about to have `written` bytes; `None` where that is not known, or where
    /// it is larger than others rely on.
    fn grow(&mut self, number: usize, written: u64) -> Option<u64> {
        let is_relied_on = number < self.relied_on;
        let slot = self.slots.get_mut(number)?;
        slot.written = written;
        if slot.size.is_some_and(|size| written > size) {
            slot.size = None;
            if is_relied_on {
                self.is_wrong = true;
                slot.place = None;
            }
        }
        if slot.place.is_none() && !self.is_wrong {
            let place = self.place(number);
            if place.is_some() {
                self.relied_on = self.relied_on.max(number);
            }
            self.slots.get_mut(number)?.place = place;
        }
        self.slots.get(number)?.place
    }

    fn place(&self, number: usize) -> Option<u64> {
        let mut position = self.start;
        for slot in self.slots.get(..number)? {
            let size = slot.size?;
            let end = position.checked_add(slot.header)?.checked_add(size)?;
            position = end.checked_add(padding(size))?;
        }
        position.checked_add(self.slots.get(number)?.header)
    }

    fn end(&mut self, number: usize, size: u64) {
        let is_relied_on = number < self.relied_on;
        if let Some(slot) = self.slots.get_mut(number) {
            self.is_wrong |= is_relied_on && slot.size != Some(size);
            slot.size = Some(size);
        }
    }
}

/// Writes one layer.
#[derive(Debug)]
pub struct LayerWriter {
    slots: Arc<Slots>,
    number: usize,
    written: u64,
    at: At,
}

/// A layer that was written. [`Slots::settle`] takes it.
#[derive(Debug)]
pub struct Written {
    size: u64,
    at: At,
}

#[derive(Debug)]
enum At {
    /// In the archive, its content from this offset on.
    Place(u64),
    /// In a file of its own.
    Elsewhere(File),
}

impl LayerWriter {
    /// Ends the layer.
    #[must_use]
    pub fn finish(self) -> Written {
        self.slots.state().end(self.number, self.written);
        Written {
            size: self.written,
            at: self.at,
        }
    }
}

impl Write for LayerWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let end = self.written + bytes.len() as u64;
        let place = self.slots.state().grow(self.number, end);
        match (&self.at, place) {
            (At::Place(offset), None) => {
                self.at = At::Elsewhere(self.slots.move_out(*offset, self.written)?);
            }
            (At::Elsewhere(file), Some(offset)) => {
                copy_whole((file, 0), (&self.slots.archive, offset), self.written)?;
                self.at = At::Place(offset);
            }
            _ => {}
        }
        match &self.at {
            At::Place(offset) => self
                .slots
                .archive
                .write_all_at(bytes, offset + self.written),
            At::Elsewhere(file) => file.write_all_at(bytes, self.written),
        }?;
        self.written = end;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn copy_whole(source: (&File, u64), target: (&File, u64), size: u64) -> io::Result<()> {
    if copy(source, target, size)? < size {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::header::Members;
    use proptest::prelude::*;
    use std::io::{Read as _, Seek as _};

    /// What comes before the layers.
    const HEAD: (&str, &[u8]) = ("manifest.json", b"[]");

    fn name(number: usize) -> String {
        format!("{number}.tar")
    }

    fn content(number: usize, size: usize) -> Vec<u8> {
        vec![u8::try_from(number + 1).unwrap(); size]
    }

    /// An archive, and what is done while it is written.
    struct Job {
        file: File,
        slots: Arc<Slots>,
        writers: Vec<Option<LayerWriter>>,
        written: Vec<Option<Written>>,
    }

    impl Job {
        fn new(layers: usize) -> Self {
            let file = tempfile::tempfile().unwrap();
            let mut placed = Placed::new(&file);
            placed.bytes(HEAD.0, HEAD.1).unwrap();
            let names: Vec<_> = (0..layers).map(name).collect();
            let archive = file.try_clone().unwrap();
            let names = names.iter().map(String::as_str);
            let slots = Slots::new(&placed, archive, &std::env::temp_dir(), names).unwrap();
            Self {
                file,
                slots: Arc::new(slots),
                writers: (0..layers).map(|_| None).collect(),
                written: (0..layers).map(|_| None).collect(),
            }
        }

        /// Writes that many more bytes of a layer.
        fn write(&mut self, number: usize, count: usize) {
            let writer =
                self.writers[number].get_or_insert_with(|| self.slots.writer(number).unwrap());
            writer.write_all(&content(number, count)).unwrap();
        }

        /// Ends a layer, and says whether it was in the archive then.
        fn end(&mut self, number: usize) -> bool {
            self.write(number, 0);
            let written = self.writers[number].take().unwrap().finish();
            let is_placed = matches!(written.at, At::Place(_));
            self.written[number] = Some(written);
            is_placed
        }

        /// The archive.
        fn settle(self) -> Vec<u8> {
            let mut placed = Placed::new(&self.file);
            placed.bytes(HEAD.0, HEAD.1).unwrap();
            let names: Vec<_> = (0..self.written.len()).map(name).collect();
            let written = self.written.into_iter().map(Option::unwrap);
            let layers = names.iter().map(String::as_str).zip(written);
            self.slots.settle(&mut placed, layers).unwrap();
            placed.bytes("repositories", b"{}").unwrap();
            placed.finish().unwrap();
            let mut bytes = Vec::new();
            (&self.file).rewind().unwrap();
            (&self.file).read_to_end(&mut bytes).unwrap();
            bytes
        }
    }

    /// The same archive written from its beginning to its end.
    fn in_order(sizes: &[usize]) -> Vec<u8> {
        let mut members = Members::new(Vec::new());
        members.bytes(HEAD.0, HEAD.1).unwrap();
        for (number, size) in sizes.iter().enumerate() {
            members
                .bytes(&name(number), &content(number, *size))
                .unwrap();
        }
        members.bytes("repositories", b"{}").unwrap();
        members.finish().unwrap()
    }

    #[test]
    fn layers_whose_sizes_were_expected_are_written_where_they_belong() {
        let mut job = Job::new(3);
        job.slots.expect(0, 700);
        job.slots.expect(1, 5);
        for number in [2, 1, 0] {
            job.write(number, 5);
        }
        job.write(0, 695);
        assert!(job.end(2) && job.end(1) && job.end(0));
        assert!(job.settle() == in_order(&[700, 5, 5]));
    }

    #[test]
    fn a_layer_moves_to_its_place_when_that_becomes_known() {
        let mut job = Job::new(3);
        for number in 0..3 {
            job.write(number, 600);
        }
        assert!(!job.slots.expects(0));
        job.slots.expect(0, 1000);
        job.write(1, 1);
        assert!(matches!(job.writers[1].as_ref().unwrap().at, At::Place(_)));
        job.write(0, 400);
        assert!(job.end(0) && job.end(1));
        assert!(job.slots.expects(1), "it is certain");
        job.write(2, 1);
        assert!(job.end(2));
        assert!(job.settle() == in_order(&[1000, 601, 601]));
    }

    #[test]
    fn a_layer_that_grows_beyond_its_place_leaves_it_to_the_next() {
        let mut job = Job::new(3);
        job.slots.expect(0, 600);
        job.write(1, 5000);
        job.write(0, 600);
        job.write(0, 1);
        assert!(!job.end(0), "the next layer's bytes were there");
        assert!(job.end(1), "where nobody knew it wrong");
        assert!(!job.end(2), "nothing is expected any more");
        assert!(job.settle() == in_order(&[601, 5000, 0]));
    }

    #[test]
    fn an_expectation_on_which_nobody_relies_is_given_up() {
        let mut job = Job::new(2);
        job.slots.expect(0, 600);
        job.write(0, 601);
        job.slots.expect(0, 600);
        assert!(!job.slots.expects(0));
        assert!(job.end(0) && job.end(1));
        assert!(job.settle() == in_order(&[601, 0]));
    }

    #[test]
    fn nothing_is_left_of_a_layer_that_lay_too_far_behind() {
        let mut job = Job::new(2);
        job.slots.expect(0, 1 << 20);
        job.write(1, 700);
        job.write(0, 3);
        assert!(job.end(0) && job.end(1));
        assert!(job.settle() == in_order(&[3, 700]));
    }

    #[test]
    fn sizes_beyond_all_numbers_are_no_places() {
        let mut job = Job::new(3);
        job.slots.expect(0, u64::MAX);
        job.slots.expect(1, u64::MAX);
        assert!(!job.end(1) && !job.end(2));
        job.end(0);
        assert!(job.settle() == in_order(&[0, 0, 0]));
    }

    proptest! {
        #[test]
        fn the_archive_is_the_same_whatever_is_expected_and_whenever(
            sizes in prop::collection::vec(0usize..3000, 1..5),
            steps in prop::collection::vec((0usize..5, 0usize..900, 0usize..3500, 0u8..4), 0..40),
        ) {
            let mut job = Job::new(sizes.len());
            let mut left = sizes.clone();
            for (layer, count, guess, kind) in steps {
                let number = layer % sizes.len();
                match kind {
                    0 => job.slots.expect(number, sizes[number] as u64),
                    1 => job.slots.expect(number, guess as u64),
                    _ if job.written[number].is_some() => {}
                    _ => {
                        let count = count.min(left[number]);
                        job.write(number, count);
                        left[number] -= count;
                        if left[number] == 0 && kind == 3 {
                            job.end(number);
                        }
                    }
                }
            }
            for (number, left) in left.into_iter().enumerate() {
                if job.written[number].is_none() {
                    job.write(number, left);
                    job.end(number);
                }
            }
            prop_assert!(job.settle() == in_order(&sizes));
        }
    }
}
