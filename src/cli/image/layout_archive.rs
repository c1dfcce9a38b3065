//! `--format docker-save` and `oci-archive`: the blobs as they are, in a tar with an OCI image layout.

use std::collections::HashSet;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use super::Image;
use super::blobs::Blobs;
use crate::cli::progress::LayerProgress;
use crate::cli::{Error, transfer};
use hocker::archive::docker_save::{Archive, Content, Kind, Member};
use hocker::archive::header::Members;
use hocker::oci::config::ImageConfig;
use hocker::oci::descriptor::Descriptor;
use hocker::oci::document::Document;
use hocker::output::{self, OutputFile};
use hocker::registry::Destination;

/// Writes the archive to a file, or to a pipe.
pub(super) async fn write(image: Image, kind: Kind, file: OutputFile) -> Result<(), Error> {
    let config = image.config().await?;
    let archive = Archive::new(kind, &image.names, &image.manifest, &HashSet::new());
    if file.is_seekable() {
        write_in_place(&image, &config, &archive, &file).await?;
    } else {
        write_in_order(&image, &config, &archive, &file).await?;
    }
    Ok(file.commit()?)
}

/// All sizes are known, and so are all places: the layers come in parallel, each straight to its own.
async fn write_in_place(
    image: &Image,
    config: &Document<ImageConfig>,
    archive: &Archive,
    file: &OutputFile,
) -> Result<(), Error> {
    let path = file.path();
    let failed = |source| output::Error::write(path, source);
    let shared = Arc::new(file.as_file().try_clone().map_err(failed)?);
    let places = archive
        .place(&shared)
        .map_err(|source| Error::archive(path, source))?;
    let mut transfers = Vec::new();
    for (blob, offset) in places {
        if image.is_config(blob) {
            shared
                .write_all_at(config.bytes(), offset)
                .map_err(failed)?;
        } else {
            let transfer = fetch_layer(
                image.blobs.clone(),
                blob.clone(),
                Arc::clone(&shared),
                offset,
                path.to_owned(),
                image.display.layer(&blob.digest),
            );
            transfers.push((blob.size, transfer));
        }
    }
    transfer::in_parallel(transfers).await.map(drop)
}

async fn fetch_layer(
    blobs: Blobs,
    layer: Descriptor,
    file: Arc<File>,
    offset: u64,
    path: PathBuf,
    progress: LayerProgress,
) -> Result<(), Error> {
    let destination = Destination::Part {
        file: &file,
        offset,
    };
    blobs
        .fetch(&layer, destination, &progress)
        .await
        .map_err(|error| error.writing_to(&path))?;
    progress.wrote();
    Ok(())
}

/// One layer after the other, by one connection, since a pipe takes them no other way.
async fn write_in_order(
    image: &Image,
    config: &Document<ImageConfig>,
    archive: &Archive,
    file: &OutputFile,
) -> Result<(), Error> {
    let path = file.path();
    let failed = |source| Error::archive(path, source);
    let mut members = Members::new(file.as_file());
    for Member { name, content } in &archive.members {
        match content {
            Content::Bytes(bytes) => members.bytes(name, bytes).map_err(failed)?,
            Content::Blob(blob) if image.is_config(blob) => {
                members.bytes(name, config.bytes()).map_err(failed)?;
            }
            Content::Blob(blob) => {
                let progress = image.display.layer(&blob.digest);
                members.begin(name, blob.size).map_err(failed)?;
                let destination = Destination::InOrder {
                    take: &mut |bytes| members.content(bytes),
                    spool: None,
                };
                image
                    .blobs
                    .fetch(blob, destination, &progress)
                    .await
                    .map_err(|error| error.writing_to(path))?;
                members.end(blob.size).map_err(failed)?;
                progress.wrote();
            }
        }
    }
    members.finish().map(drop).map_err(failed)
}
