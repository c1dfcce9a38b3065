//! `--format docker-archive`: layers are decompressed while they are fetched, several at a time, into
//! files without a name, and put together when all of them were found good.

use std::io::{self, Seek as _, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Image;
use crate::archive::docker_archive::{self, Layer};
use crate::cli::error::LayerError;
use crate::cli::progress::Display;
use crate::cli::{Error, transfer};
use crate::compression::Decompressor;
use crate::descriptor::Descriptor;
use crate::digest::DiffId;
use crate::document::ParseError;
use crate::output::{self, OutputFile};
use crate::registry::{Blob, Destination, DownloadError, Registry};
use crate::verify::VerifyingWriter;

/// Writes the archive to a file, which gets its name at the end.
pub(super) async fn write_to_file(
    image: Image,
    path: &Path,
    file: OutputFile,
) -> Result<(), Error> {
    // The layers go next to the output: there is room for an image, unlike perhaps in /tmp. Next to a device
    // or a pipe there is none.
    let directory = if file.is_seekable() {
        output::parent(path).to_owned()
    } else {
        std::env::temp_dir()
    };
    let layers = fetch_layers(&image, &directory).await?;
    assemble(&image, layers, path.display().to_string(), file.as_file())?;
    Ok(file.commit()?)
}

/// Writes the archive to standard output.
pub(super) async fn write_to_stdout(image: Image) -> Result<(), Error> {
    let layers = fetch_layers(&image, &std::env::temp_dir()).await?;
    let output = "standard output".to_owned();
    assemble(&image, layers, output, io::stdout().lock())
}

fn assemble(
    image: &Image,
    layers: Vec<Layer>,
    output: String,
    writer: impl Write,
) -> Result<(), Error> {
    let archive = docker_archive::Image {
        config: &image.config,
        layers,
        tags: &image.names().repo_tags,
    };
    match docker_archive::write(&archive, writer) {
        Ok(_) => Ok(()),
        Err(source) => Err(Error::Archive { output, source }),
    }
}

async fn fetch_layers(image: &Image, directory: &Path) -> Result<Vec<Layer>, Error> {
    let transfers = image.distinct_layers().into_iter().map(|(layer, diff_id)| {
        fetch_layer(
            Arc::clone(&image.registry),
            image.blob(&layer),
            layer,
            diff_id,
            directory.to_owned(),
            image.display.clone(),
        )
    });
    let mut layers = transfer::in_parallel(transfers).await?;
    // Two blobs may hold the same content, compressed differently.
    let mut seen = std::collections::HashSet::new();
    layers.retain(|layer| seen.insert(layer.diff_id));
    Ok(layers)
}

async fn fetch_layer(
    registry: Arc<Registry>,
    blob: Blob,
    layer: Descriptor,
    diff_id: DiffId,
    directory: PathBuf,
    display: Display,
) -> Result<Layer, Error> {
    let compression = layer
        .media_type
        .layer_compression()
        .ok_or_else(|| Error::Document {
            what: format!("the layer {}", layer.digest),
            source: ParseError::Unsupported(format!(
                "of type {}, which is not a layer of a filesystem",
                layer.media_type
            )),
        })?;
    let kept = |source| Error::Scratch {
        path: directory.clone(),
        source,
    };
    let wrong = |source: LayerError| Error::Layer {
        layer: layer.digest.to_string(),
        source,
    };
    // What the decoder says of the content has no number of the operating system's; a full disk has.
    let failed = |source: io::Error| {
        if source.raw_os_error().is_some() {
            kept(source)
        } else {
            wrong(LayerError::Decompress(source))
        }
    };
    let file = tempfile::tempfile_in(&directory).map_err(kept)?;
    let plain = VerifyingWriter::new(*diff_id.digest(), file);
    let mut decompressor = Decompressor::new(compression, plain).map_err(failed)?;
    let progress = display.layer(&layer.digest);
    // Bytes that come out of order wait here.
    let spool = tempfile::tempfile_in(&directory).map_err(kept)?;
    let destination = Destination::InOrder {
        take: &mut |chunk| decompressor.write_all(chunk),
        spool: Some(&spool),
    };
    registry
        .fetch_blob(&blob, destination, &progress)
        .await
        .map_err(|error| match error {
            DownloadError::Registry(error) => Error::Registry(error),
            DownloadError::Destination(source) => failed(source),
        })?;
    let plain = decompressor.finish().map_err(failed)?;
    let (mut file, size) = plain.finish().map_err(|error| wrong(error.into()))?;
    file.rewind().map_err(kept)?;
    progress.decompressed(&diff_id);
    Ok(Layer {
        diff_id,
        file,
        size,
    })
}
