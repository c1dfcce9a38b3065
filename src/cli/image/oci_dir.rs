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
use hocker::oci::digest::Digest;
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
    let create = |digest: &Digest| layout.create_blob(digest).map_err(failed);
    let manifest = &image.manifest;
    create(manifest.digest())?
        .write_all(manifest.bytes())
        .map_err(failed)?;
    let mut config_file = create(&manifest.config.digest)?;
    let mut seen = HashSet::from([*manifest.digest(), manifest.config.digest]);
    let mut layers = manifest.layers.clone();
    layers.retain(|layer| seen.insert(layer.digest));
    // Making many files takes a while, in which the first transfers are already under way. None of them makes its file
    // itself: one that is still on its way when everything ends could make it in a directory that is being removed.
    let transfers = layers.into_iter().map(|layer| {
        let (size, blobs, path) = (layer.size, image.blobs.clone(), path.to_owned());
        let file = create(&layer.digest);
        let progress = image.display.layer(&layer.digest);
        (size, fetch_layer(blobs, layer, file, path, progress))
    });
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
    file: Result<File, output::Error>,
    path: PathBuf,
    progress: LayerProgress,
) -> Result<(), Error> {
    let file = file?;
    blobs
        .fetch(&layer, Destination::File(&file), &progress)
        .await
        .map_err(|error| error.writing_to(&path))?;
    progress.wrote();
    Ok(())
}
