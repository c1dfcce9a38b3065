//! Pieces: which bytes of a blob were requested, and how many of them have arrived.

/// Consecutive bytes that one connection fetches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// The first byte's offset.
    pub(super) start: u64,
    /// The offset after the last byte; unknown only for the one piece of a blob of unknown size.
    pub(super) end: Option<u64>,
    /// The number of bytes that have arrived.
    pub(super) received: u64,
    /// Whether a connection works on it.
    pub(super) taken: bool,
}

impl Piece {
    /// Returns the offset of the next byte.
    pub(super) fn position(&self) -> u64 {
        self.start + self.received
    }

    /// Returns the number of missing bytes, if it is known.
    pub(super) fn rest(&self) -> Option<u64> {
        Some(self.end? - self.position())
    }
}

/// All pieces of a blob, in order and without gaps.
#[derive(Debug)]
pub(super) struct Pieces(Vec<Piece>);

impl Pieces {
    /// Creates one taken piece for the whole blob.
    pub(super) fn whole(size: Option<u64>) -> Self {
        Self(vec![Piece {
            start: 0,
            end: size,
            received: 0,
            taken: true,
        }])
    }

    pub(super) fn get(&self, index: usize) -> Option<&Piece> {
        self.0.get(index)
    }

    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut Piece> {
        self.0.get_mut(index)
    }

    /// Splits the missing bytes of the last piece into pieces of `length` bytes. The last piece keeps the first of
    /// them.
    pub(super) fn split(&mut self, length: u64) {
        let Some(last) = self.0.last_mut() else {
            return;
        };
        let Some(end) = last.end else { return };
        let mut start = last.position().saturating_add(length);
        if start >= end || length == 0 {
            return;
        }
        last.end = Some(start);
        while start < end {
            let next = start.saturating_add(length).min(end);
            self.0.push(Piece {
                start,
                end: Some(next),
                received: 0,
                taken: false,
            });
            start = next;
        }
    }

    /// Takes the piece after `index`, if it is free.
    pub(super) fn take_next(&mut self, index: usize) -> Option<usize> {
        let piece = self.0.get_mut(index + 1)?;
        (!piece.taken).then(|| {
            piece.taken = true;
            index + 1
        })
    }

    /// Takes the first free piece.
    pub(super) fn take_first(&mut self) -> Option<usize> {
        let index = self.0.iter().position(|piece| !piece.taken)?;
        self.take_next_at(index)
    }

    fn take_next_at(&mut self, index: usize) -> Option<usize> {
        self.0.get_mut(index)?.taken = true;
        Some(index)
    }

    /// Marks a piece as free, after a connection failed.
    pub(super) fn give_back(&mut self, index: usize) {
        if let Some(piece) = self.0.get_mut(index) {
            piece.taken = false;
        }
    }

    /// Returns the offset up to which all bytes from `position` have arrived.
    pub(super) fn contiguous_from(&self, position: u64) -> u64 {
        let mut reached = position;
        for piece in &self.0 {
            if piece.start <= reached && reached <= piece.position() {
                reached = piece.position();
            }
        }
        reached
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_split_leaves_no_gap_and_no_overlap() {
        for (size, received, length) in [
            (100, 0, 30),
            (100, 99, 30),
            (100, 50, 50),
            (100, 10, 1),
            (100, 0, 0),
        ] {
            let mut pieces = Pieces::whole(Some(size));
            pieces.get_mut(0).unwrap().received = received;
            pieces.split(length);
            let mut position = 0;
            for piece in &pieces.0 {
                assert_eq!(piece.start, position);
                position = piece.end.unwrap();
            }
            assert_eq!(position, size, "{received} {length}");
        }
    }

    #[test]
    fn bytes_count_as_contiguous_up_to_the_first_gap() {
        let mut pieces = Pieces::whole(Some(90));
        pieces.split(30);
        let receive = |pieces: &mut Pieces, index, bytes| {
            pieces.get_mut(index).unwrap().received = bytes;
        };
        receive(&mut pieces, 1, 10);
        assert_eq!(pieces.contiguous_from(0), 0);
        receive(&mut pieces, 0, 30);
        assert_eq!(pieces.contiguous_from(0), 40);
        receive(&mut pieces, 2, 5);
        assert_eq!(pieces.contiguous_from(40), 40);
        receive(&mut pieces, 1, 30);
        assert_eq!(pieces.contiguous_from(40), 65);
    }

    #[test]
    fn each_piece_is_taken_once() {
        let mut pieces = Pieces::whole(Some(90));
        pieces.split(30);
        assert_eq!(pieces.take_first(), Some(1));
        assert_eq!(pieces.take_next(0), None);
        assert_eq!(pieces.take_next(1), Some(2));
        assert_eq!(pieces.take_first(), None);
        pieces.give_back(1);
        assert_eq!(pieces.take_first(), Some(1));
    }
}
