//! `--format oci-dir`: the blobs as the registry has them, in the OCI image layout.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Image;
use crate::archive::oci_layout::LayoutWriter;
use crate::cli::progress::LayerProgress;
use crate::cli::{Error, transfer};
use crate::output::{self, OutputDirectory};
use crate::registry::{Blob, Destination, Registry};

/// Writes the layout into a directory, which gets its name at the end.
pub(super) async fn write(
    image: Image,
    path: &Path,
    directory: OutputDirectory,
) -> Result<(), Error> {
    let failed = |source| output::Error::write(path, source);
    let layout = LayoutWriter::create(directory.path()).map_err(failed)?;
    let mut transfers = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for layer in &image.manifest.layers {
        if !seen.insert(layer.digest) {
            continue;
        }
        // All files are there before the first transfer starts: one that is still on its way when
        // everything ends cannot make another in a directory that is being removed.
        let file = layout.create_blob(&layer.digest).map_err(failed)?;
        transfers.push(fetch_layer(
            Arc::clone(&image.registry),
            image.blob(layer),
            file,
            path.to_owned(),
            image.display.layer(&layer.digest),
        ));
    }
    for (digest, bytes) in [
        (image.config.digest(), image.config.bytes()),
        (image.manifest.digest(), image.manifest.bytes()),
    ] {
        layout
            .create_blob(digest)
            .and_then(|mut file| file.write_all(bytes))
            .map_err(failed)?;
    }
    transfer::in_parallel(transfers).await?;
    let mut descriptor = image.names().annotate(image.manifest.descriptor());
    descriptor.platform = Some(image.config.platform().clone());
    layout.finish(&descriptor).map_err(failed)?;
    Ok(directory.commit()?)
}

async fn fetch_layer(
    registry: Arc<Registry>,
    blob: Blob,
    file: File,
    path: PathBuf,
    progress: LayerProgress,
) -> Result<(), Error> {
    registry
        .fetch_blob(&blob, Destination::File(&file), &progress)
        .await
        .map_err(|error| Error::of_download(error, &path))?;
    progress.wrote();
    Ok(())
}
