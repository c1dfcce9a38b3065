//! The files of a store.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::image::StoreImage;
use super::records;

/// The file system image of a layer, and where podman finds its tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerFile {
    /// The EROFS image: what the link `layer.erofs` says.
    pub image: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// The tree.
    pub diff: Diff,
}

/// Where the tree of a layer is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Diff {
    /// In the store itself: `diff` is an empty directory.
    Here,
    /// At this absolute path: `diff` is a link to it. As long as nothing is there, podman refuses to start the image.
    /// Podman 5 follows no relative link there (containers/storage, `redirectDiffIfAdditionalLayer`).
    At(PathBuf),
}

/// Writes the store of an image into a directory that exists and is empty. `layers` has one file for each layer of the
/// image, lowest first.
///
/// # Errors
///
/// Fails if a file cannot be written, or if the numbers of layers differ.
pub fn write(directory: &Path, image: &StoreImage, layers: &[LayerFile]) -> io::Result<()> {
    if image.layers().len() != layers.len() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the numbers of layers and of file system images differ",
        ));
    }
    write_images(&directory.join("overlay-images"), image)?;
    let sized = layers.iter().map(|layer| layer.size);
    let records = records::layers(image, image.layers().iter().zip(sized))?;
    write_records(&directory.join("overlay-layers"), "layers", &records)?;
    write_trees(&directory.join("overlay"), image, layers)
}

/// Writes a file of records, and the file by which podman locks it.
fn write_records(directory: &Path, name: &str, records: &[u8]) -> io::Result<()> {
    fs::create_dir(directory)?;
    fs::write(directory.join(format!("{name}.json")), records)?;
    fs::write(directory.join(format!("{name}.lock")), "")
}

fn write_images(directory: &Path, image: &StoreImage) -> io::Result<()> {
    write_records(directory, "images", &records::images(image)?)?;
    let documents = directory.join(image.config.digest().hex());
    fs::create_dir(&documents)?;
    for (key, _, bytes) in image.documents() {
        fs::write(documents.join(file_name(&key)), bytes)?;
    }
    Ok(())
}

/// The file of a document: its name, in base 64 unless it has only dots, digits and small letters.
///
/// Source: containers/storage, `store.go`, `makeBigDataBaseName`.
fn file_name(key: &str) -> String {
    let is_plain = |byte: u8| matches!(byte, b'.' | b'0'..=b'9' | b'a'..=b'z');
    if key.bytes().all(is_plain) {
        key.to_owned()
    } else {
        format!("={}", STANDARD.encode(key))
    }
}

fn write_trees(directory: &Path, image: &StoreImage, layers: &[LayerFile]) -> io::Result<()> {
    let links = directory.join("l");
    fs::create_dir(directory)?;
    fs::create_dir(&links)?;
    // The layers below, the nearest first.
    let mut lower = String::new();
    for (layer, file) in image.layers().iter().zip(layers) {
        let tree = directory.join(layer.id.to_string());
        let link = layer.id.link();
        fs::create_dir(&tree)?;
        match &file.diff {
            Diff::Here => fs::create_dir(tree.join("diff"))?,
            Diff::At(path) => symlink(path, tree.join("diff"))?,
        }
        symlink(&file.image, tree.join("layer.erofs"))?;
        fs::write(tree.join("link"), &link)?;
        if lower.is_empty() {
            lower = format!("l/{link}");
        } else {
            fs::write(tree.join("lower"), &lower)?;
            lower = format!("l/{link}:{lower}");
        }
        symlink(format!("../{}/diff", layer.id), links.join(&link))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
