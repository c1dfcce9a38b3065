//! `--format docker-archive`: layers are decompressed while they come, several at a time, and put together
//! when all of them were found good. The first goes straight into the archive, the others into files without a
//! name until it is known where they belong.

use std::fs::File;
use std::io::{self, Seek as _, Write};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use super::Image;
use super::blobs::{Blobs, FetchError};
use crate::archive::docker_archive::{Archive, Layer};
use crate::archive::header::Members;
use crate::archive::placed::Placed;
use crate::archive::plain_layer::{LayerError, PlainLayer};
use crate::cli::progress::LayerProgress;
use crate::cli::{Error, transfer};
use crate::compression::Limit;
use crate::output::{self, OutputFile};
use crate::registry::Destination;

/// Writes the archive to a file, or to a pipe. No layer may become larger than `limit`.
pub(super) async fn write(image: Image, limit: Limit, file: OutputFile) -> Result<(), Error> {
    let archive = Archive::new(&image.manifest, &image.config, &image.names.repo_tags);
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
    let mut placed = Placed::new(file.as_file());
    for (name, content) in &archive.head {
        placed.bytes(name, content).map_err(failed)?;
    }
    let first = match archive.layers.first() {
        Some(layer) => Some(Place {
            offset: placed.next_content(&layer.name).map_err(failed)?,
            file: shared,
        }),
        None => None,
    };
    // The others go next to the output: there is room for an image, unlike perhaps in /tmp.
    let directory = output::parent(file.path());
    let layers = fetch_layers(image, archive, limit, first, directory).await?;
    for (number, (layer, plain)) in archive.layers.iter().zip(&layers).enumerate() {
        if number == 0 {
            placed.reserve(&layer.name, plain.size).map_err(failed)?;
        } else {
            placed
                .file(&layer.name, &plain.file, plain.size)
                .map_err(failed)?;
        }
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
    let layers = fetch_layers(image, archive, limit, None, &std::env::temp_dir()).await?;
    let mut members = Members::new(file.as_file());
    for (name, content) in &archive.head {
        members.bytes(name, content).map_err(failed)?;
    }
    for (layer, mut plain) in archive.layers.iter().zip(layers) {
        let rewound = plain.file.rewind();
        rewound.map_err(|source| output::Error::write(file.path(), source))?;
        members
            .file(&layer.name, &plain.file, plain.size)
            .map_err(failed)?;
    }
    let (name, content) = &archive.tail;
    members.bytes(name, content).map_err(failed)?;
    members.finish().map(drop).map_err(failed)
}

/// Where a layer goes.
struct Place {
    file: File,
    /// Where its first byte belongs.
    offset: u64,
}

/// A layer that is there, decompressed and found good.
struct Plain {
    file: File,
    /// Its size in bytes.
    size: u64,
}

/// Brings the layers, the first to a place of its own if there is one.
async fn fetch_layers(
    image: &Image,
    archive: &Archive,
    limit: Limit,
    mut first: Option<Place>,
    directory: &Path,
) -> Result<Vec<Plain>, Error> {
    let transfers = archive.layers.iter().map(|layer| {
        fetch_layer(
            image.blobs.clone(),
            layer.clone(),
            limit,
            first.take(),
            directory.to_owned(),
            image.display.layer(&layer.blob.digest),
        )
    });
    transfer::in_parallel(transfers).await
}

async fn fetch_layer(
    blobs: Blobs,
    layer: Layer,
    limit: Limit,
    place: Option<Place>,
    directory: PathBuf,
    progress: LayerProgress,
) -> Result<Plain, Error> {
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
    let Place { file, offset } = match place {
        Some(place) => place,
        None => Place {
            file: tempfile::tempfile_in(&directory).map_err(kept)?,
            offset: 0,
        },
    };
    let output = WriterAt { file, offset };
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
    let (writer, size) = plain.finish().map_err(failed)?;
    progress.decompressed(&layer.diff_id);
    Ok(Plain {
        file: writer.file,
        size,
    })
}

/// Writes a file from some offset on.
struct WriterAt {
    file: File,
    offset: u64,
}

impl Write for WriterAt {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write_at(bytes, self.offset)?;
        self.offset += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
