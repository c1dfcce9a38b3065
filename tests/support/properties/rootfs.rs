//! Layers that become one file system image.

use std::collections::BTreeMap;
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use hocker::compression::Limit;
use hocker::erofs::{LayerFile, MountPoint, Rootfs, RootfsError};
use hocker::oci::descriptor::Descriptor;
use hocker::oci::digest::{DiffId, Digest};
use hocker::oci::media_type::MediaType;

use super::erofs_image::{self, File, Image};
use super::layers::{self, with_checksums};

/// Inputs may have any number of layers, and each costs a few files.
const MAX_LAYERS: usize = 4;

/// More than any of these layers has.
const LIMIT: u64 = 4 << 20;

const KIND: u16 = 0o170_000;
const DIRECTORY: u16 = 0o040_000;
const CHARACTER_DEVICE: u16 = 0o020_000;

/// Layers that are accepted become one image: without a trace of whiteouts, and as a simple overlay of the layers' own
/// images is, if all of these are accepted too. A block of zeros ends a layer.
pub fn rootfs(bytes: &[u8]) {
    let archives = archives(&with_checksums(bytes));
    let points = MountPoint::usual();
    let with_points = write(&archives, &points);
    let Ok(bytes) = write(&archives, &[]) else {
        // Then the mount points do not help.
        assert!(with_points.is_err());
        return;
    };
    let image = erofs_image::read(&bytes);
    if let Ok(bytes) = with_points {
        let more = erofs_image::read(&bytes);
        assert!(image.files.keys().all(|path| more.files.contains_key(path)));
    }
    for file in image.files.values() {
        assert!(!is_whiteout(file));
        let names = file.attributes.keys();
        let mut own = names.filter(|name| name.contains(".overlay."));
        assert!(own.all(|name| !name.starts_with("trusted.") && !name.starts_with("user.")));
    }
    let images: Result<Vec<_>, _> = archives.iter().map(|tar| layers::read(tar)).collect();
    // A hard link into a lower layer has no image of its own.
    if let Ok(images) = images {
        is_the_overlay_of(&image, &images);
    }
}

/// The archives one after the other, with a block of zeros between them.
fn archives(bytes: &[u8]) -> Vec<Vec<u8>> {
    let blocks: Vec<_> = bytes.chunks(512).collect();
    let is_zero = |block: &&[u8]| block.iter().all(|byte| *byte == 0);
    let archives = blocks.splitn(MAX_LAYERS, is_zero);
    archives.map(<[_]>::concat).collect()
}

fn is_whiteout(file: &File) -> bool {
    file.mode & KIND == CHARACTER_DEVICE && file.device == 0
}

/// Compares an image with what overlayfs shows of the images of the layers. Directories have the metadata of the last
/// layer that lists them, which an image does not say, so these are not compared.
fn is_the_overlay_of(image: &Image, layers: &[Image]) {
    let mut merged = BTreeMap::<Vec<u8>, &File>::new();
    for layer in layers {
        // A directory comes before what is in it.
        for (path, file) in &layer.files {
            let is_directory = file.mode & KIND == DIRECTORY;
            let is_opaque = file.attributes.contains_key("trusted.overlay.opaque");
            let existing = merged.get(path).map(|existing| existing.mode & KIND);
            if !is_directory || is_opaque || existing != Some(DIRECTORY) {
                let below = if path.is_empty() {
                    Vec::new()
                } else {
                    [path, &b"/"[..]].concat()
                };
                merged.retain(|other, _| !other.starts_with(&below));
                merged.remove(path);
            }
            if !is_whiteout(file) {
                merged.insert(path.clone(), file);
            }
        }
    }
    let paths = |names: Vec<&Vec<u8>>| -> Vec<String> {
        let names = names.into_iter();
        names.map(|name| name.escape_ascii().to_string()).collect()
    };
    assert_eq!(
        paths(image.files.keys().collect()),
        paths(merged.keys().collect())
    );
    for (found, expected) in image.files.values().zip(merged.into_values()) {
        assert_eq!(found.mode & KIND, expected.mode & KIND);
        if found.mode & KIND != DIRECTORY {
            let comparable = |file: &File| File {
                inode: 0,
                links: 0,
                is_extended: false,
                ..file.clone()
            };
            assert_eq!(comparable(found), comparable(expected));
        }
    }
}

/// The bytes of the one image of several layers, each a plain archive.
pub fn write(archives: &[Vec<u8>], mount_points: &[MountPoint]) -> Result<Vec<u8>, RootfsError> {
    let layers: Vec<LayerFile> = archives.iter().map(|archive| layer_file(archive)).collect();
    let rootfs = Rootfs {
        layers: &layers,
        limit: Limit::of_bytes(LIMIT),
        mount_points,
        keep: &[],
    };
    let mut image = tempfile::tempfile().unwrap();
    let written = rootfs.write(&image, Path::new("/tmp"))?;
    let mut bytes = Vec::new();
    image.rewind().unwrap();
    image.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes.len() as u64, written.size);
    Ok(bytes)
}

fn layer_file(archive: &[u8]) -> LayerFile {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(archive).unwrap();
    let (digest, size) = (Digest::of(archive), archive.len() as u64);
    LayerFile {
        file,
        descriptor: Descriptor::new(MediaType::OCI_LAYER, digest, size),
        diff_id: DiffId::new(digest),
    }
}
