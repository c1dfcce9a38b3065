//! Finds the lists of packages in a layer. The layer is read once, from its beginning to its end, and verified. Only the
//! lists stay in memory, and their size has a limit.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path as FilePath;
use std::sync::Arc;

use super::paths::{Path, RPM, clean, is_relevant, is_within, join, split, wanted};
use crate::archive::blob_file::BlobFile;
use crate::archive::composition;
use crate::archive::layer_pass::{self, Expected, Plain};
use crate::archive::plain_layer::LayerError;
use crate::class::Class;
use crate::compression::Limit;
use crate::erofs;
use crate::erofs::tar::{Archive, Entry};
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::{DiffId, Digest, Hasher};

/// The size limit in bytes of all lists of a layer: 128 MiB. The largest real lists have some megabytes.
const MAX_LISTS: u64 = 128 << 20;

/// The greatest number of files with lists, and of removed paths, in a layer.
const MAX_FILES: usize = 50_000;

/// The prefix of whiteouts, and the name of an opaque whiteout.
const WHITEOUT: &[u8] = b".wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";

/// A file that a layer has.
#[derive(Debug)]
pub(super) enum Found {
    /// A list, with its content.
    Text(Vec<u8>),
    /// A database, with the digest of its content.
    Digest(Digest),
    /// A hard link to a file of this or a lower layer.
    Link(Path),
}

/// What a layer has of lists of packages, and what it removes.
#[derive(Debug, Default)]
pub struct LayerFiles {
    pub(super) files: BTreeMap<Path, Found>,
    /// Paths that are removed with all below them.
    removed: Vec<Path>,
    /// Directories whose former contents are removed.
    emptied: Vec<Path>,
}

impl LayerFiles {
    /// Returns whether the layer hides the file of a lower layer.
    pub(super) fn hides(&self, path: &[u8]) -> bool {
        let mut removed = self.removed.iter();
        let mut emptied = self.emptied.iter();
        removed.any(|removed| is_within(path, removed))
            || emptied.any(|emptied| path != emptied.as_slice() && is_within(path, emptied))
    }
}

/// Reads layers. A layer that several images have is read once.
#[derive(Debug, Default)]
pub struct Scanner {
    limit: Limit,
    known: HashMap<Digest, Arc<LayerFiles>>,
}

impl Scanner {
    /// Starts. Layers may expand up to `limit`.
    #[must_use]
    pub fn new(limit: Limit) -> Self {
        Self {
            limit,
            known: HashMap::new(),
        }
    }

    /// Returns a layer that was read already.
    #[must_use]
    pub fn known(&self, layer: &Descriptor) -> Option<Arc<LayerFiles>> {
        self.known.get(&layer.digest).cloned()
    }

    /// Reads the file of a layer.
    pub fn read(
        &mut self,
        layer: &Descriptor,
        diff_id: &DiffId,
        file: &FilePath,
    ) -> Result<Arc<LayerFiles>, Error> {
        if let Some(known) = self.known(layer) {
            return Ok(known);
        }
        let found = Arc::new(scan(layer, diff_id, file, self.limit)?);
        self.known.insert(layer.digest, Arc::clone(&found));
        Ok(found)
    }
}

fn scan(
    layer: &Descriptor,
    diff_id: &DiffId,
    file: &FilePath,
    limit: Limit,
) -> Result<LayerFiles, Error> {
    let mut file = BlobFile::open(layer, file)?;
    let expected = Expected {
        size: Some(layer.size),
        diff_id: Some(*diff_id),
        limit,
    };
    let feed = |blob: &mut layer_pass::Blob| {
        while let Some(bytes) = file.next_bytes().map_err(Error::from)? {
            blob.push(bytes)?;
        }
        Ok(())
    };
    let (_, files) = layer_pass::pass(expected, feed, collect)?;
    Ok(files)
}

fn collect(plain: Plain) -> Result<(Plain, LayerFiles), Error> {
    let mut archive = Archive::new(plain);
    let mut layer = LayerFiles::default();
    let mut left = MAX_LISTS;
    while let Some(entry) = archive.next()? {
        let Some(path) = clean(&entry.name) else {
            continue;
        };
        let (parent, name) = split(&path);
        if name == OPAQUE {
            if is_relevant(parent) {
                layer.emptied.push(parent.to_vec());
            }
        } else if let Some(name) = name.strip_prefix(WHITEOUT) {
            let path = join(parent, name);
            if is_relevant(&path) {
                layer.removed.push(path);
            }
        } else if wanted(&path) {
            // The last entry with a name counts, and hides the file of lower layers.
            layer.files.remove(&path);
            layer.removed.push(path.clone());
            if let Some(found) = content(&mut archive, &entry, &path, &mut left)? {
                layer.files.insert(path, found);
            }
        } else if entry.kind != b'5' && is_relevant(&path) {
            // What is not a directory replaces a directory of a lower layer.
            layer.removed.push(path);
        }
        if layer.files.len() + layer.removed.len() + layer.emptied.len() > 2 * MAX_FILES {
            return Err(Error::TooLarge);
        }
    }
    // The rest must be read, since the content is verified only at its end.
    let plain = archive.finish()?;
    Ok((plain, layer))
}

/// Reads the content of an entry. Returns `None` for an entry that is not a file.
fn content<R: io::BufRead>(
    archive: &mut Archive<R>,
    entry: &Entry,
    path: &[u8],
    left: &mut u64,
) -> Result<Option<Found>, Error> {
    match entry.kind {
        b'1' => {
            return Ok(clean(&entry.link)
                .filter(|target| wanted(target))
                .map(Found::Link));
        }
        b'0' | b'7' => {}
        _ => return Ok(None),
    }
    let size: u64 = entry.segments.iter().map(|segment| segment.length).sum();
    if RPM.iter().any(|directory| is_within(path, directory)) {
        let mut hasher = Hasher::sha256();
        archive.content(size, |bytes| {
            hasher.update(bytes);
            Ok(())
        })?;
        return Ok(Some(Found::Digest(hasher.finish())));
    }
    *left = left.checked_sub(size).ok_or(Error::TooLarge)?;
    let mut text = Vec::new();
    archive.content(size, |bytes| {
        text.extend_from_slice(bytes);
        Ok(())
    })?;
    Ok(Some(Found::Text(text)))
}

/// The packages of a layer cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file of the layer is not the layer.
    #[error(transparent)]
    Blob(#[from] composition::Error),
    /// The layer cannot be decompressed, or is not what the image names.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// The layer is not an archive.
    #[error(transparent)]
    Archive(#[from] erofs::Error),
    /// The lists are larger than any real ones.
    #[error("the lists of packages have more than {} MiB, or more than {MAX_FILES} files", MAX_LISTS >> 20)]
    TooLarge,
}

impl Error {
    /// Returns the class of the failure.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Blob(error) => error.class(),
            Self::Layer(error) => error.class(),
            Self::Archive(error) => error.class(),
            Self::TooLarge => Class::Unsupported,
        }
    }
}

#[cfg(test)]
mod tests;
