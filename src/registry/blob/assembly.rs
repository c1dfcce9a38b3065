//! Assembly: puts the bytes of a blob in order. Each byte is hashed and passed on once, in order, however the
//! connections deliver them. Bytes that arrive too early wait in a file, not in memory.

use std::io;
use std::os::unix::fs::FileExt as _;

use super::pieces::Pieces;
use super::{Destination, Failure};
use crate::verify::Verifier;

/// The number of bytes that are read back from the file at once.
const BUFFER: usize = 128 << 10;

/// A blob during its download.
pub(super) struct Assembly<'a> {
    destination: Destination<'a>,
    verifier: Verifier,
    /// The offset of the next byte to hash and pass on.
    next: u64,
    /// The size in bytes, if it is known.
    size: Option<u64>,
    /// The last bytes for [`Destination::InOrder`], until the blob is verified. So a wrong blob never looks complete.
    held: Vec<u8>,
    buffer: Vec<u8>,
}

impl<'a> Assembly<'a> {
    pub(super) fn new(destination: Destination<'a>, verifier: Verifier, size: Option<u64>) -> Self {
        Self {
            destination,
            verifier,
            next: 0,
            size,
            held: Vec::new(),
            buffer: Vec::new(),
        }
    }

    /// Returns whether bytes may arrive out of order.
    pub(super) fn takes_any_order(&self) -> bool {
        self.destination.store().is_some()
    }

    /// Adds bytes at `offset`.
    pub(super) fn take(&mut self, offset: u64, bytes: &[u8]) -> Result<(), Failure> {
        if offset != self.next {
            return self.store_at(offset, bytes);
        }
        self.verifier.update(bytes)?;
        if !matches!(self.destination, Destination::InOrder { .. }) {
            self.store_at(offset, bytes)?;
        }
        self.pass_on(bytes)
    }

    fn store_at(&self, offset: u64, bytes: &[u8]) -> Result<(), Failure> {
        let (file, start) = self.destination.store().ok_or_else(out_of_order)?;
        // Bytes outside the part are safe: a part has a known size, and no connection delivers more bytes than that.
        if matches!(self.destination, Destination::Part { .. }) && self.size.is_none() {
            return Err(out_of_order());
        }
        file.write_all_at(bytes, start + offset)
            .map_err(Failure::Destination)
    }

    /// Passes bytes on in order, except the last ones, which wait until the blob is verified.
    fn pass_on(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.next += bytes.len() as u64;
        let Destination::InOrder { take, .. } = &mut self.destination else {
            return Ok(());
        };
        if !self.held.is_empty() {
            take(&self.held).map_err(Failure::Destination)?;
            self.held.clear();
        }
        if self.size.is_none_or(|size| self.next >= size) {
            self.held.extend_from_slice(bytes);
            return Ok(());
        }
        take(bytes).map_err(Failure::Destination)
    }

    /// Hashes and passes on bytes that arrived early and are next now.
    pub(super) fn catch_up(&mut self, pieces: &Pieces) -> Result<(), Failure> {
        let end = pieces.contiguous_from(self.next);
        while self.next < end {
            let length = usize::try_from(end - self.next).map_or(BUFFER, |rest| rest.min(BUFFER));
            let mut buffer = std::mem::take(&mut self.buffer);
            buffer.resize(length, 0);
            let read = match self.destination.store() {
                Some((file, start)) => file.read_exact_at(&mut buffer, start + self.next),
                None => return Err(out_of_order()),
            };
            read.map_err(Failure::Destination)?;
            self.verifier.update(&buffer)?;
            self.pass_on(&buffer)?;
            self.buffer = buffer;
        }
        Ok(())
    }

    /// Verifies the blob, and passes on the last bytes.
    pub(super) fn finish(self) -> Result<(), Failure> {
        self.verifier.finish()?;
        match self.destination {
            Destination::InOrder { take, .. } if !self.held.is_empty() => {
                take(&self.held).map_err(Failure::Destination)
            }
            _ => Ok(()),
        }
    }
}

/// Returns the error for bytes out of order. It cannot occur, because such a destination has only one connection.
fn out_of_order() -> Failure {
    Failure::Destination(io::Error::other("bytes arrived out of order"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::digest::Digest;
    use std::fs::File;

    /// Delivers the pieces of a blob in the given order, and returns the output.
    fn assemble(order: &[usize], spool: Option<&File>) -> Result<Vec<u8>, Failure> {
        let content: Vec<u8> = (0..90).collect();
        let mut pieces = Pieces::whole(Some(90));
        pieces.split(30);
        let mut out = Vec::new();
        let mut take = |bytes: &[u8]| {
            out.extend_from_slice(bytes);
            Ok(())
        };
        let destination = Destination::InOrder {
            take: &mut take,
            spool,
        };
        let verifier = Verifier::new(Digest::of(&content), Some(90));
        let mut assembly = Assembly::new(destination, verifier, Some(90));
        for index in order {
            let start = 30 * *index;
            assembly.take(start as u64, &content[start..start + 30])?;
            pieces.get_mut(*index).unwrap().received = 30;
            assembly.catch_up(&pieces)?;
        }
        assembly.finish()?;
        Ok(out)
    }

    #[test]
    fn bytes_come_out_in_order_whatever_order_they_come_in() {
        let content: Vec<u8> = (0..90).collect();
        for order in [
            [0, 1, 2],
            [0, 2, 1],
            [1, 0, 2],
            [1, 2, 0],
            [2, 0, 1],
            [2, 1, 0],
        ] {
            let spool = tempfile::tempfile().unwrap();
            let Ok(out) = assemble(&order, Some(&spool)) else {
                panic!("{order:?}");
            };
            assert_eq!(out, content, "{order:?}");
        }
    }

    #[test]
    fn a_part_of_a_file_takes_its_bytes_and_no_others() {
        let content: Vec<u8> = (0..90).collect();
        for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
            let file = tempfile::tempfile().unwrap();
            file.write_all_at(&[255; 110], 0).unwrap();
            let mut pieces = Pieces::whole(Some(90));
            pieces.split(30);
            let place = || Destination::Part {
                file: &file,
                offset: 10,
            };
            let verifier = Verifier::new(Digest::of(&content), Some(90));
            let mut assembly = Assembly::new(place(), verifier, Some(90));
            for index in order {
                let start = 30 * index;
                let bytes = &content[start..start + 30];
                assert!(assembly.take(start as u64, bytes).is_ok());
                pieces.get_mut(index).unwrap().received = 30;
                assert!(assembly.catch_up(&pieces).is_ok());
            }
            assert!(assembly.finish().is_ok(), "{order:?}");
            let mut found = [0; 110];
            file.read_exact_at(&mut found, 0).unwrap();
            assert_eq!(found, [&[255; 10][..], &content, &[255; 10]].concat()[..]);
            let verifier = Verifier::new(Digest::of(&content), Some(90));
            let mut assembly = Assembly::new(place(), verifier, Some(90));
            assert!(assembly.take(0, &[0; 91]).is_err(), "one byte too many");
            file.read_exact_at(&mut found, 0).unwrap();
            assert_eq!(found[100..], [255; 10]);
        }
    }

    #[test]
    fn without_a_file_only_one_order_is_right() {
        assert!(assemble(&[0, 1, 2], None).is_ok());
        assert!(assemble(&[1, 0, 2], None).is_err());
    }

    #[test]
    fn the_end_of_what_is_wrong_is_never_handed_on() {
        for size in [Some(6), None] {
            let mut out = Vec::new();
            let mut take = |bytes: &[u8]| {
                out.extend_from_slice(bytes);
                Ok(())
            };
            let destination = Destination::InOrder {
                take: &mut take,
                spool: None,
            };
            let verifier = Verifier::new(Digest::of(b"abcdef"), size);
            let mut assembly = Assembly::new(destination, verifier, size);
            assert!(assembly.take(0, b"abc").is_ok());
            assert!(assembly.take(3, b"xyz").is_ok());
            assert!(assembly.finish().is_err());
            assert_eq!(out, b"abc", "{size:?}");
        }
    }

    #[test]
    fn a_missing_piece_is_no_end() {
        let spool = tempfile::tempfile().unwrap();
        assert!(assemble(&[0, 2], Some(&spool)).is_err());
    }
}
