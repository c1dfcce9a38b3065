//! `--format docker-archive`: layers are decompressed while they arrive, several in parallel. The first, which is the
//! largest, is written into the archive directly. The others are copied into it when all are verified, because the
//! offset of each depends on the decompressed sizes before it.

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::Image;
use super::source::{FetchError, Source};
use super::transfers;
use super::{Error, LayerProgress};
use crate::archive::docker_archive::{Archive, Layer, LayerNames};
use crate::archive::header::Members;
use crate::archive::placed::Placed;
use crate::archive::plain_layer::{LayerError, PlainLayer};
use crate::compression::Limit;
use crate::output::{self, OutputFile};
use crate::registry::Destination;

impl Image {
    /// Writes the classic archive, whose layers are decompressed, to a file or a pipe. No layer may decompress to more
    /// than `limit`.
    pub async fn write_docker_archive(
        self,
        layer_names: LayerNames,
        limit: Limit,
        file: OutputFile,
    ) -> Result<(), Error> {
        let config = self.config().await?;
        let tags = &self.names.repo_tags;
        let archive = Archive::new(&self.manifest, &config, tags, layer_names);
        if file.is_seekable() {
            write_in_place(&self, &archive, limit, &file).await?;
        } else {
            write_in_order(&self, &archive, limit, &file).await?;
        }
        Ok(file.commit()?)
    }
}

async fn write_in_place(
    image: &Image,
    archive: &Archive,
    limit: Limit,
    file: &OutputFile,
) -> Result<(), Error> {
    let failed = |source| Error::archive(file.path(), source);
    let unwritable = |source| output::Error::write(file.path(), source);
    // The other layers are stored beside the archive first. The file system of the archive has space for an image; that
    // of /tmp may have less.
    let directory = output::parent(file.path());
    let mut placed = Placed::new(file.as_file());
    for (name, content) in &archive.head {
        placed.bytes(name, content).map_err(failed)?;
    }
    let mut layers = archive.layers.iter();
    // The offset of the first layer depends on no other layer.
    let mut straight = None;
    if let Some(first) = archive.layers.first() {
        let start = placed.next_content(&first.name).map_err(failed)?;
        let mut shared = file.as_file().try_clone().map_err(unwritable)?;
        shared.seek(SeekFrom::Start(start)).map_err(unwritable)?;
        straight = Some(shared);
    }
    let mut written = fetch_layers(image, archive, limit, directory, straight)
        .await?
        .into_iter();
    if let (Some(first), Some((_, size))) = (layers.next(), written.next()) {
        placed.reserve(&first.name, size).map_err(failed)?;
    }
    for (layer, (plain, size)) in layers.zip(written) {
        placed.file(&layer.name, &plain, size).map_err(failed)?;
    }
    let (name, content) = &archive.tail;
    placed.bytes(name, content).map_err(failed)?;
    placed.finish().map_err(failed)
}

async fn write_in_order(
    image: &Image,
    archive: &Archive,
    limit: Limit,
    file: &OutputFile,
) -> Result<(), Error> {
    let failed = |source| Error::archive(file.path(), source);
    let layers = fetch_layers(image, archive, limit, &std::env::temp_dir(), None).await?;
    let mut members = Members::new(file.as_file());
    for (name, content) in &archive.head {
        members.bytes(name, content).map_err(failed)?;
    }
    for (layer, (mut plain, size)) in archive.layers.iter().zip(layers) {
        let rewound = plain.rewind();
        rewound.map_err(|source| output::Error::write(file.path(), source))?;
        members.file(&layer.name, &plain, size).map_err(failed)?;
    }
    let (name, content) = &archive.tail;
    members.bytes(name, content).map_err(failed)?;
    members.finish().map(drop).map_err(failed)
}

/// Fetches, decompresses and verifies the layers. Returns the file and the size in bytes of each: the first layer is in
/// `straight`, if given, and all others are in unnamed files in `directory`.
async fn fetch_layers(
    image: &Image,
    archive: &Archive,
    limit: Limit,
    directory: &Path,
    mut straight: Option<File>,
) -> Result<Vec<(File, u64)>, Error> {
    let transfers = archive.layers.iter().map(|layer| {
        let transfer = fetch_layer(
            image.source.clone(),
            layer.clone(),
            limit,
            straight.take(),
            directory.to_owned(),
            image.progress.layer(&layer.blob.digest),
        );
        (layer.blob.size, transfer)
    });
    transfers::in_parallel(transfers).await
}

async fn fetch_layer(
    source: Source,
    layer: Layer,
    limit: Limit,
    output: Option<File>,
    directory: PathBuf,
    progress: Box<dyn LayerProgress>,
) -> Result<(File, u64), Error> {
    let kept = |source| Error::Scratch {
        path: directory.clone(),
        source,
    };
    let failed = |error: LayerError| match error.into_system_error() {
        Ok(source) => kept(source),
        Err(source) => Error::Layer {
            layer: layer.blob.digest,
            source,
        },
    };
    let scratch = || tempfile::tempfile_in(&directory).map_err(kept);
    let output = output.map_or_else(scratch, Ok)?;
    let mut plain = PlainLayer::new(&layer.diff_id, layer.blob.size, limit, output);
    // Bytes that arrive out of order are stored here.
    let spool = scratch()?;
    let destination = Destination::InOrder {
        take: &mut |bytes| plain.write_all(bytes),
        spool: Some(&spool),
    };
    source
        .fetch(&layer.blob, destination, &*progress)
        .await
        .map_err(|error| match error {
            FetchError::Source(error) => *error,
            FetchError::Destination(source) => failed(LayerError::of_write(source)),
        })?;
    let written = plain.finish().map_err(failed)?;
    progress.decompressed(&layer.diff_id);
    Ok(written)
}
