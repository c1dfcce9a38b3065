//! `--format erofs`: one file system image of all layers. The layers of a registry are first stored beside it, because
//! they are read twice.

use std::io::{self, Seek as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Image;
use super::source::Source;
use super::transfers;
use super::{Error, ImageProgress};
use crate::archive::composition;
use crate::compression::Limit;
use crate::erofs::{LayerFile, MountPoint, Rootfs};
use crate::input;
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::DiffId;
use crate::output::{self, OutputFile};
use crate::registry::Destination;

impl Image {
    /// Writes one EROFS image of all layers, with these mount points, to a file or a pipe. No layer may decompress to
    /// more than `limit`.
    pub async fn write_rootfs(
        self,
        limit: Limit,
        mount_points: Vec<MountPoint>,
        mut output: OutputFile,
    ) -> Result<(), Error> {
        let path = output.path().to_owned();
        let failed = |source| output::Error::write(&path, source);
        let directory = if output.is_seekable() {
            output::parent(&path).to_owned()
        } else {
            std::env::temp_dir()
        };
        let layers = self.layer_files(&directory).await?;
        // The superblock is written last and read first, so a pipe gets the image when it is complete.
        let image = if output.is_seekable() {
            output.as_file().try_clone()
        } else {
            tempfile::tempfile()
        };
        let image = image.map_err(failed)?;
        // The image is not named in this task, which ends late if hocker is interrupted.
        let write = move || {
            let rootfs = Rootfs {
                layers: &layers,
                limit,
                mount_points: &mount_points,
                keep: &[],
            };
            rootfs.write(&image, &directory).map(|_| image)
        };
        let written = tokio::task::spawn_blocking(write).await?;
        let mut image = written.map_err(|source| Error::Rootfs {
            path: path.clone(),
            source: Box::new(source),
        })?;
        if !output.is_seekable() {
            image.rewind().map_err(failed)?;
            io::copy(&mut image, &mut output).map_err(failed)?;
        }
        Ok(output.commit()?)
    }

    /// The layers as files, the lowest first. Those of a registry have no name, and are in `directory`.
    async fn layer_files(&self, directory: &Path) -> Result<Vec<LayerFile>, Error> {
        let config = self.config().await?;
        let layers = self.manifest.layers.iter().zip(config.diff_ids());
        let transfers = layers.map(|(layer, diff_id)| {
            let transfer = layer_file(
                self.source.clone(),
                layer.clone(),
                *diff_id,
                directory.to_owned(),
                Arc::clone(&self.progress),
            );
            (layer.size, transfer)
        });
        transfers::in_parallel(transfers).await
    }
}

async fn layer_file(
    source: Source,
    descriptor: Descriptor,
    diff_id: DiffId,
    directory: PathBuf,
    progress: Arc<dyn ImageProgress>,
) -> Result<LayerFile, Error> {
    let file = if let Some(path) = source.local(&descriptor) {
        let path = path.to_owned();
        input::open(&path).map_err(|source| composition::Error::Read { path, source })?
    } else {
        let file = tempfile::tempfile_in(&directory).map_err(|source| Error::Scratch {
            path: directory.clone(),
            source,
        })?;
        let progress = progress.layer(&descriptor.digest);
        source
            .fetch(&descriptor, Destination::File(&file), &*progress)
            .await
            .map_err(|error| error.writing_to(&directory))?;
        progress.wrote();
        file
    };
    Ok(LayerFile {
        file,
        descriptor,
        diff_id,
    })
}
