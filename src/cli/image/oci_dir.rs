//! `--format oci-dir`: the blobs as they are, in the OCI image layout.

use std::collections::HashSet;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::Image;
use super::blobs::Blobs;
use crate::cli::progress::LayerProgress;
use crate::cli::{Error, transfer};
use hocker::archive::oci_layout::LayoutWriter;
use hocker::oci::descriptor::Descriptor;
use hocker::output::{self, OutputDirectory};
use hocker::registry::Destination;

/// Writes the layout into a directory, which gets its name at the end.
pub(super) async fn write(
    image: Image,
    path: &Path,
    directory: OutputDirectory,
) -> Result<(), Error> {
    let failed = |source| output::Error::write(path, source);
    let layout = LayoutWriter::create(directory.path()).map_err(failed)?;
    let create = |digest| layout.create_blob(digest).map_err(failed);
    let manifest = &image.manifest;
    create(manifest.digest())?
        .write_all(manifest.bytes())
        .map_err(failed)?;
    let mut config_file = create(&manifest.config.digest)?;
    let mut seen = HashSet::from([*manifest.digest(), manifest.config.digest]);
    let mut transfers = Vec::new();
    for layer in &image.manifest.layers {
        if !seen.insert(layer.digest) {
            continue;
        }
        // All files are there before the first transfer starts: one that is still on its way when
        // everything ends cannot make another in a directory that is being removed.
        let file = create(&layer.digest)?;
        let transfer = fetch_layer(
            image.blobs.clone(),
            layer.clone(),
            file,
            path.to_owned(),
            image.display.layer(&layer.digest),
        );
        transfers.push((layer.size, transfer));
    }
    let (config, _) = tokio::try_join!(image.config(), transfer::in_parallel(transfers))?;
    config_file.write_all(config.bytes()).map_err(failed)?;
    let mut descriptor = image.names.annotate(image.manifest.descriptor());
    descriptor.platform = Some(config.platform().clone());
    layout.finish(&descriptor).map_err(failed)?;
    Ok(directory.commit()?)
}

async fn fetch_layer(
    blobs: Blobs,
    layer: Descriptor,
    file: File,
    path: PathBuf,
    progress: LayerProgress,
) -> Result<(), Error> {
    blobs
        .fetch(&layer, Destination::File(&file), &progress)
        .await
        .map_err(|error| error.writing_to(&path))?;
    progress.wrote();
    Ok(())
}
