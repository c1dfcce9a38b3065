//! `--format docker-archive`: layers are decompressed while they come, several at a time, and put together
//! when all of them were found good. They go straight into the archive as far as their places can be told
//! beforehand.

use std::io::{self, Seek as _, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::blobs::{Blobs, FetchError};
use super::{Image, expectations};
use crate::cli::progress::LayerProgress;
use crate::cli::{Error, transfer};
use hocker::archive::docker_archive::{Archive, Layer};
use hocker::archive::header::Members;
use hocker::archive::placed::Placed;
use hocker::archive::plain_layer::{LayerError, PlainLayer};
use hocker::archive::slots::Slots;
use hocker::compression::Limit;
use hocker::output::{self, OutputFile};
use hocker::registry::Destination;

/// Writes the archive to a file, or to a pipe. No layer may become larger than `limit`.
pub(super) async fn write(image: Image, limit: Limit, file: OutputFile) -> Result<(), Error> {
    let config = image.config().await?;
    let archive = Archive::new(&image.manifest, &config, &image.names.repo_tags);
    if file.is_seekable() {
        write_in_place(&image, &archive, limit, &file).await?;
    } else {
        write_in_order(&image, &archive, limit, &file).await?;
    }
    Ok(file.commit()?)
}

async fn write_in_place(
    image: &Image,
    archive: &Archive,
    limit: Limit,
    file: &OutputFile,
) -> Result<(), Error> {
    let failed = |source| Error::archive(file.path(), source);
    let shared = file.as_file().try_clone();
    let shared = shared.map_err(|source| output::Error::write(file.path(), source))?;
    // What is not in the archive goes next to it: there is room for an image, unlike perhaps in /tmp.
    let directory = output::parent(file.path());
    let mut placed = Placed::new(file.as_file());
    for (name, content) in &archive.head {
        placed.bytes(name, content).map_err(failed)?;
    }
    let names = || archive.layers.iter().map(|layer| layer.name.as_str());
    let slots = Slots::new(&placed, shared, directory, names());
    let slots = Arc::new(slots.map_err(failed)?);
    let shared = Arc::clone(&slots);
    let begin = move |number| shared.writer(number);
    let layers = fetch_layers(image, archive, limit, directory, begin, |writer, _| {
        writer.finish()
    });
    let learning = async {
        expectations::learn(&image.blobs, &archive.layers, &slots).await;
        std::future::pending().await
    };
    // What there is to learn from files is learned before the first layer begins. Nothing waits for the rest.
    let layers = tokio::select! {
        biased;
        never = learning => never,
        layers = layers => layers?,
    };
    slots
        .settle(&mut placed, names().zip(layers))
        .map_err(failed)?;
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
    let directory = std::env::temp_dir();
    let begin = {
        let directory = directory.clone();
        move |_| tempfile::tempfile_in(&directory)
    };
    let layers = fetch_layers(image, archive, limit, &directory, begin, |file, size| {
        (file, size)
    });
    let layers = layers.await?;
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

/// Brings the layers, decompressed and found good. `begin` makes what takes each one, by its number, and `end` takes
/// that back with the number of bytes.
async fn fetch_layers<W, T>(
    image: &Image,
    archive: &Archive,
    limit: Limit,
    directory: &Path,
    begin: impl Fn(usize) -> io::Result<W> + Clone + Send + 'static,
    end: fn(W, u64) -> T,
) -> Result<Vec<T>, Error>
where
    W: Write + Send + 'static,
    T: Send + 'static,
{
    let transfers = archive.layers.iter().enumerate().map(|(number, layer)| {
        let begin = begin.clone();
        let fetched = fetch_layer(
            image.blobs.clone(),
            layer.clone(),
            limit,
            move || begin(number),
            directory.to_owned(),
            image.display.layer(&layer.blob.digest),
        );
        let transfer = async move { fetched.await.map(|(output, size)| end(output, size)) };
        (layer.blob.size, transfer)
    });
    transfer::in_parallel(transfers).await
}

async fn fetch_layer<W: Write + Send>(
    blobs: Blobs,
    layer: Layer,
    limit: Limit,
    begin: impl FnOnce() -> io::Result<W>,
    directory: PathBuf,
    progress: LayerProgress,
) -> Result<(W, u64), Error> {
    let kept = |source| Error::Scratch {
        path: directory.clone(),
        source,
    };
    let failed = |error: LayerError| match error.into_system_error() {
        Ok(source) => kept(source),
        Err(source) => Error::Layer {
            layer: layer.blob.digest.to_string(),
            source,
        },
    };
    let output = begin().map_err(kept)?;
    let mut plain = PlainLayer::new(&layer.diff_id, layer.blob.size, limit, output);
    // Bytes that come out of order wait here.
    let spool = tempfile::tempfile_in(&directory).map_err(kept)?;
    let destination = Destination::InOrder {
        take: &mut |bytes| plain.write_all(bytes),
        spool: Some(&spool),
    };
    blobs
        .fetch(&layer.blob, destination, &progress)
        .await
        .map_err(|error| match error {
            FetchError::Source(error) => *error,
            FetchError::Destination(source) => failed(LayerError::of_write(source)),
        })?;
    let written = plain.finish().map_err(failed)?;
    progress.decompressed(&layer.diff_id);
    Ok(written)
}
