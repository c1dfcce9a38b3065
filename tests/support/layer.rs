//! Layers of images, packed by other code than the one under test.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::image::{Family, digest, hex};

/// How a layer is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    /// One gzip member.
    Gzip,
    /// Several gzip members one after another, as pigz and eStargz write them.
    GzipMembers,
    Zstd,
    Plain,
}

/// A layer: its archive, and the blob that a registry has of it.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    pub(crate) tar: Vec<u8>,
    pub(crate) blob: Vec<u8>,
    packing: Packing,
}

impl Layer {
    /// A layer of regular files.
    pub(crate) fn of_files(packing: Packing, files: &[(&str, &[u8])]) -> Self {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, content) in files {
            let mut header = tar::Header::new_ustar();
            header.set_size(content.len() as u64);
            header.set_mode(0o755);
            header.set_mtime(0);
            builder.append_data(&mut header, path, *content).unwrap();
        }
        Self::of_tar(packing, builder.into_inner().unwrap())
    }

    /// A layer of this archive.
    pub(crate) fn of_tar(packing: Packing, tar: Vec<u8>) -> Self {
        let blob = match packing {
            Packing::Gzip => gzip(&tar),
            Packing::GzipMembers => tar.chunks(tar.len() / 3 + 1).flat_map(gzip).collect(),
            Packing::Zstd => zstd::encode_all(tar.as_slice(), 1).unwrap(),
            Packing::Plain => tar.clone(),
        };
        Self { tar, blob, packing }
    }

    /// The blob's digest.
    pub(crate) fn digest(&self) -> String {
        digest(&self.blob)
    }

    /// The blob's digest without its algorithm.
    pub(crate) fn hex(&self) -> String {
        hex(&self.blob)
    }

    /// The blob's media type.
    pub(crate) fn media_type(&self, family: Family) -> &'static str {
        match (family, self.packing) {
            (Family::Docker, Packing::Gzip | Packing::GzipMembers) => {
                "application/vnd.docker.image.rootfs.diff.tar.gzip"
            }
            (Family::Docker, Packing::Plain) => "application/vnd.docker.image.rootfs.diff.tar",
            (Family::Docker, Packing::Zstd) => "application/vnd.docker.image.rootfs.diff.tar.zstd",
            (Family::Oci, Packing::Gzip | Packing::GzipMembers) => {
                "application/vnd.oci.image.layer.v1.tar+gzip"
            }
            (Family::Oci, Packing::Zstd) => "application/vnd.oci.image.layer.v1.tar+zstd",
            (Family::Oci, Packing::Plain) => "application/vnd.oci.image.layer.v1.tar",
        }
    }
}

/// One gzip member.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
