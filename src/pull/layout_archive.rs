//! `--format docker-save` and `oci-archive`: the unchanged blobs in a tar with an OCI image layout.

use std::collections::HashSet;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use super::Image;
use super::source::Source;
use super::transfers;
use super::{Error, LayerProgress};
use crate::archive::docker_save::{Archive, ArchiveFormat, Content, Member};
use crate::archive::header::Members;
use crate::oci::config::ImageConfig;
use crate::oci::descriptor::Descriptor;
use crate::oci::document::Document;
use crate::output::{self, OutputFile};
use crate::registry::Destination;

impl Image {
    /// Writes an archive with the blobs unchanged to a file or a pipe: an OCI image layout, with Docker's
    /// `manifest.json` or without.
    pub async fn write_layout_archive(
        self,
        format: ArchiveFormat,
        file: OutputFile,
    ) -> Result<(), Error> {
        let config = self.config().await?;
        let (names, manifest, index) = (&self.names, &self.manifest, self.index.as_ref());
        let archive = Archive::with_index(format, names, manifest, index, &HashSet::new());
        if file.is_seekable() {
            write_in_place(&self, &config, &archive, &file).await?;
        } else {
            write_in_order(&self, &config, &archive, &file).await?;
        }
        Ok(file.commit()?)
    }
}

/// Writes the layers in parallel, each at its offset: the sizes in the manifest determine all offsets.
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
                image.source.clone(),
                blob.clone(),
                Arc::clone(&shared),
                offset,
                path.to_owned(),
                image.progress.layer(&blob.digest),
            );
            transfers.push((blob.size, transfer));
        }
    }
    transfers::in_parallel(transfers).await.map(drop)
}

async fn fetch_layer(
    source: Source,
    layer: Descriptor,
    file: Arc<File>,
    offset: u64,
    path: PathBuf,
    progress: Box<dyn LayerProgress>,
) -> Result<(), Error> {
    let destination = Destination::Part {
        file: &file,
        offset,
    };
    source
        .fetch(&layer, destination, &*progress)
        .await
        .map_err(|error| error.writing_to(&path))?;
    progress.wrote();
    Ok(())
}

/// Writes one layer after the other, each over one connection, because a pipe cannot seek.
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
                let progress = image.progress.layer(&blob.digest);
                members.begin(name, blob.size).map_err(failed)?;
                let destination = Destination::InOrder {
                    take: &mut |bytes| members.content(bytes),
                    spool: None,
                };
                image
                    .source
                    .fetch(blob, destination, &*progress)
                    .await
                    .map_err(|error| error.writing_to(path))?;
                members.end(blob.size).map_err(failed)?;
                progress.wrote();
            }
        }
    }
    members.finish().map(drop).map_err(failed)
}
