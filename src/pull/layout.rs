//! `--format oci-dir`: the unchanged blobs in an OCI image layout.

use std::collections::HashSet;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::Image;
use super::source::Source;
use super::transfers;
use super::{Error, LayerProgress};
use crate::archive::oci_layout::LayoutWriter;
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::Digest;
use crate::output::{self, OutputDirectory};
use crate::registry::Destination;

impl Image {
    /// Writes an OCI image layout into a directory, which gets its name, `path`, when it is complete.
    pub async fn write_layout(self, path: &Path, directory: OutputDirectory) -> Result<(), Error> {
        let failed = |source| output::Error::write(path, source);
        let layout = LayoutWriter::create(directory.path()).map_err(failed)?;
        let create = |digest: &Digest| layout.create_blob(digest).map_err(failed);
        let manifest = &self.manifest;
        create(manifest.digest())?
            .write_all(manifest.bytes())
            .map_err(failed)?;
        if let Some(index) = &self.index {
            create(index.digest())?
                .write_all(index.bytes())
                .map_err(failed)?;
        }
        let mut config_file = create(&manifest.config.digest)?;
        let mut seen = HashSet::from([*manifest.digest(), manifest.config.digest]);
        let mut layers = manifest.layers.clone();
        layers.retain(|layer| seen.insert(layer.digest));
        // Transfers start while later files are still created. None creates its own file: it could do so in a directory
        // that is being removed after another transfer failed.
        let transfers = layers.into_iter().map(|layer| {
            let (size, source, path) = (layer.size, self.source.clone(), path.to_owned());
            let file = create(&layer.digest);
            let progress = self.progress.layer(&layer.digest);
            (size, fetch_layer(source, layer, file, path, progress))
        });
        let (config, _) = tokio::try_join!(self.config(), transfers::in_parallel(transfers))?;
        config_file.write_all(config.bytes()).map_err(failed)?;
        let (digest, listed) = if let Some(index) = &self.index {
            (index.digest(), index.descriptor())
        } else {
            let mut descriptor = self.manifest.descriptor();
            descriptor.platform = Some(config.platform().clone());
            (self.manifest.digest(), descriptor)
        };
        let names = self.names.with_digest(digest);
        layout.finish(&names.entries(&listed)).map_err(failed)?;
        Ok(directory.commit()?)
    }
}

async fn fetch_layer(
    source: Source,
    layer: Descriptor,
    file: Result<File, output::Error>,
    path: PathBuf,
    progress: Box<dyn LayerProgress>,
) -> Result<(), Error> {
    let file = file?;
    source
        .fetch(&layer, Destination::File(&file), &*progress)
        .await
        .map_err(|error| error.writing_to(&path))?;
    progress.wrote();
    Ok(())
}
