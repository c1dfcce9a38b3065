//! The EROFS images of layers: those that exist already, and those that are made for a mount and kept.

use std::fs::{self, DirBuilder, File, Metadata};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use super::error::Error;
use crate::compression::Limit;
use crate::erofs::{self, CheckError, LayerFile};
use crate::input;
use crate::oci::digest::{DiffId, Digest};
use crate::output::{Existing, OutputFile};

/// Others can write.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// Directories in which at most this many files are looked at.
const MAX_FILES: usize = 100_000;

/// Where EROFS images of layers are.
#[derive(Clone, Debug)]
pub struct ImageSources {
    /// Directories with images that exist already: files `*.erofs`, or stores of podman's (`overlay/*/layer.erofs`).
    pub existing: Vec<PathBuf>,
    /// The directory that keeps images which are made now. It is created.
    pub cache: PathBuf,
    /// How large each layer may become when it is decompressed.
    pub limit: Limit,
}

/// Returns the EROFS image of each layer, in the same order. Makes those that do not exist.
pub fn images(layers: &[LayerFile], sources: &ImageSources) -> Result<Vec<(DiffId, File)>, Error> {
    let mut candidates = Vec::new();
    for directory in &sources.existing {
        candidates.extend(files(directory).map_err(|source| Error::directory(directory, source))?);
    }
    let mut images = Vec::new();
    for layer in layers {
        let existing = candidates.iter().find_map(|path| {
            let opened = open(path, &layer.diff_id);
            match opened {
                Ok(file) => Some(Ok(file)),
                Err(Error::Image { .. }) => None,
                Err(error) => Some(Err(error)),
            }
        });
        let image = match existing {
            Some(image) => image?,
            None => cached(layer, sources)?,
        };
        images.push((layer.diff_id, image));
    }
    Ok(images)
}

/// All files in a directory that may be EROFS images.
fn files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)?.take(MAX_FILES) {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "erofs")
        {
            files.push(path);
        }
    }
    match fs::read_dir(directory.join("overlay")) {
        Ok(layers) => {
            for layer in layers.take(MAX_FILES) {
                let image = layer?.path().join("layer.erofs");
                if image.exists() {
                    files.push(image);
                }
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    files.sort();
    Ok(files)
}

/// Opens the image of a layer, if no other user can change it while the kernel reads it.
fn open(path: &Path, diff_id: &DiffId) -> Result<File, Error> {
    let failed = |source| Error::Image {
        path: path.to_owned(),
        source,
    };
    let file = input::open(path).map_err(|source| failed(CheckError::Read(source)))?;
    erofs::check(&file, diff_id).map_err(failed)?;
    let metadata = file
        .metadata()
        .map_err(|source| failed(CheckError::Read(source)))?;
    if !is_safe(&metadata) {
        return Err(Error::Unsafe(path.to_owned()));
    }
    Ok(file)
}

/// The image of a layer in the cache, made if it is missing or damaged.
fn cached(layer: &LayerFile, sources: &ImageSources) -> Result<File, Error> {
    let directory = &sources.cache;
    let failed = |source| Error::directory(directory, source);
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(directory).map_err(failed)?;
    if !is_safe(&fs::metadata(directory).map_err(failed)?) {
        return Err(Error::Unsafe(directory.clone()));
    }
    let path = directory.join(file_name(layer.diff_id.digest()));
    match open(&path, &layer.diff_id) {
        Err(Error::Image { .. }) => {}
        opened => return opened,
    }
    let output = OutputFile::create(&path, Existing::Replace)?;
    erofs::convert(layer.source(sources.limit), output.as_file(), directory).map_err(|source| {
        Error::Convert {
            layer: Box::new(layer.descriptor.digest),
            source: Box::new(source),
        }
    })?;
    output.commit()?;
    open(&path, &layer.diff_id)
}

fn file_name(diff_id: &Digest) -> String {
    format!("{}.erofs", diff_id.to_string().replace(':', "-"))
}

/// Whether only this user and root can change a file or directory.
fn is_safe(metadata: &Metadata) -> bool {
    let is_ours = [0, rustix::process::geteuid().as_raw()].contains(&metadata.uid());
    is_ours && metadata.mode() & WRITABLE_BY_OTHERS == 0
}
