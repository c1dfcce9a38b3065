//! The body of a response with several ranges of a blob: one part for each range, in the order of the request.
//!
//! Ranges are neither joined nor sorted: containers/storage, which asks for up to 1,024 ranges of a zstd:chunked layer,
//! expects one part for each range, and does not read where a part begins. The response is never longer than the blob, so
//! ranges that overlap cannot multiply the work of the server.
//!
//! Source: RFC 9110, sections 14.2 and 14.6.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::blob::Blob;
use crate::oci::digest::Digest;

/// The content type of each part.
const PART_TYPE: &str = "application/octet-stream";

/// The length of a boundary.
const BOUNDARY_LENGTH: usize = 32;

/// Several ranges of a blob, with the text between them.
#[derive(Debug)]
pub(super) struct Multipart {
    pub(super) blob: Arc<Blob>,
    pub(super) parts: Vec<Part>,
    /// The text after the last part.
    pub(super) end: Bytes,
}

/// One range.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// The boundary and the fields before the content.
    pub(super) head: Bytes,
    pub(super) range: Range<u64>,
}

impl Multipart {
    /// Creates the body. Returns `None` if it is not shorter than the blob itself: then the whole blob is better.
    pub(super) fn new(blob: &Arc<Blob>, ranges: Vec<Range<u64>>) -> Option<Self> {
        let size = blob.size();
        let boundary = boundary(blob.digest());
        let part = |range: Range<u64>| {
            let last = range.end.saturating_sub(1);
            let head = format!(
                "\r\n--{boundary}\r\nContent-Type: {PART_TYPE}\r\nContent-Range: bytes {}-{last}/{size}\r\n\r\n",
                range.start
            );
            Part {
                head: head.into(),
                range,
            }
        };
        let multipart = Self {
            blob: Arc::clone(blob),
            parts: ranges.into_iter().map(part).collect(),
            end: format!("\r\n--{boundary}--\r\n").into(),
        };
        (multipart.length() < size).then_some(multipart)
    }

    /// The value of `Content-Type`.
    pub(super) fn content_type(&self) -> String {
        format!(
            "multipart/byteranges; boundary={}",
            boundary(self.blob.digest())
        )
    }

    /// The length of the body in bytes.
    pub(super) fn length(&self) -> u64 {
        let parts = self.parts.iter().map(|part| {
            let content = part.range.end.saturating_sub(part.range.start);
            content.saturating_add(part.head.len() as u64)
        });
        parts.fold(self.end.len() as u64, u64::saturating_add)
    }
}

/// Returns the boundary: the beginning of the blob's digest. No blob can be made that contains it, because the digest
/// depends on the content.
fn boundary(digest: &Digest) -> String {
    digest.hex().chars().take(BOUNDARY_LENGTH).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(size: usize) -> (tempfile::NamedTempFile, Arc<Blob>) {
        let content = vec![b'x'; size];
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &content).unwrap();
        let path = file.path().canonicalize().unwrap();
        let blob = Blob::new(path, Digest::of(&content), size as u64).unwrap();
        (file, Arc::new(blob))
    }

    #[test]
    fn each_range_is_a_part_in_the_order_of_the_request() {
        let (_file, blob) = blob(1000);
        let ranges = vec![990..1000, 0..1, 5..9];
        let multipart = Multipart::new(&blob, ranges.clone()).unwrap();
        let boundary = &blob.digest().hex()[..32];
        assert_eq!(
            multipart.content_type(),
            format!("multipart/byteranges; boundary={boundary}")
        );
        let heads: Vec<_> = ["990-999", "0-0", "5-8"]
            .map(|range| {
                format!(
                    "\r\n--{boundary}\r\nContent-Type: application/octet-stream\r\n\
                     Content-Range: bytes {range}/1000\r\n\r\n"
                )
            })
            .into();
        let found: Vec<_> = multipart.parts.iter().map(|part| &part.head[..]).collect();
        assert_eq!(
            found,
            heads.iter().map(String::as_bytes).collect::<Vec<_>>()
        );
        let found: Vec<_> = multipart
            .parts
            .iter()
            .map(|part| part.range.clone())
            .collect();
        assert_eq!(found, ranges);
        let end = format!("\r\n--{boundary}--\r\n");
        assert_eq!(multipart.end, end.as_bytes());
        let length = heads.concat().len() + 15 + end.len();
        assert_eq!(multipart.length(), length as u64);
    }

    #[test]
    fn a_response_in_parts_is_shorter_than_the_blob() {
        let (_file, blob) = blob(10_000);
        for (ranges, is_made) in [
            (vec![0..1, 1..2], true),
            (vec![0..4000, 0..4000], true),
            (vec![0..10_000, 0..1], false),
            (vec![0..5000, 0..5000], false),
            (vec![0..1; 1000], false),
        ] {
            let made = Multipart::new(&blob, ranges.clone());
            assert_eq!(made.is_some(), is_made, "{ranges:?}");
        }
    }
}
