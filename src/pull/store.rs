//! `--format erofs-dir`: podman's store of the image, with the file system images of its layers in it.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Seek as _};
use std::path::{Path, PathBuf};

use super::source::Source;
use super::transfers;
use super::{Error, Image, LayerProgress};
use crate::compression::Limit;
use crate::erofs;
use crate::oci::digest::DiffId;
use crate::output::{self, OutputDirectory};
use crate::podman_store::{self, Diff, Layer, LayerFile, StoreImage};
use crate::registry::Destination;

/// The directory of the file system images.
const LAYERS: &str = "layers";

impl Image {
    /// Writes the store into a directory, which gets its name, `path`, when it is complete. No layer may decompress to
    /// more than `limit`. Each layer has an empty directory `diff`, to mount its image at.
    pub async fn write_store(
        self,
        limit: Limit,
        path: &Path,
        directory: OutputDirectory,
    ) -> Result<(), Error> {
        let failed = |source| output::Error::write(path, source);
        let config = self.config().await?;
        let store = StoreImage::new(
            &self.names,
            self.manifest.clone(),
            self.index.clone(),
            config,
        )?;
        let images = directory.path().join(LAYERS);
        fs::create_dir(&images).map_err(failed)?;
        // A layer that occurs twice is converted once.
        let mut distinct = HashMap::<DiffId, &Layer>::new();
        for layer in store.layers() {
            distinct.entry(layer.diff_id).or_insert(layer);
        }
        let transfers = distinct.into_values().map(|layer| {
            let conversion = Conversion {
                source: self.source.clone(),
                layer: layer.clone(),
                limit,
                directory: images.clone(),
                output: path.to_owned(),
            };
            let progress = self.progress.layer(&layer.blob.digest);
            (layer.blob.size, conversion.run(progress))
        });
        let sizes: HashMap<_, _> = transfers::in_parallel(transfers)
            .await?
            .into_iter()
            .collect();
        let file = |layer: &Layer| LayerFile {
            image: Path::new("../..")
                .join(LAYERS)
                .join(file_name(&layer.diff_id)),
            size: sizes.get(&layer.diff_id).copied().unwrap_or_default(),
            diff: Diff::Here,
        };
        let files: Vec<_> = store.layers().iter().map(file).collect();
        podman_store::write(directory.path(), &store, &files).map_err(failed)?;
        Ok(directory.commit()?)
    }
}

fn file_name(diff_id: &DiffId) -> String {
    format!("{}.erofs", diff_id.digest().hex())
}

/// A layer that becomes a file system image.
struct Conversion {
    source: Source,
    layer: Layer,
    limit: Limit,
    /// The directory of the images.
    directory: PathBuf,
    /// The name of the whole output, for messages.
    output: PathBuf,
}

impl Conversion {
    /// Fetches the layer into a file without a name, and converts it. Returns the size of the image in bytes.
    async fn run(self, progress: Box<dyn LayerProgress>) -> Result<(DiffId, u64), Error> {
        let blob = tempfile::tempfile_in(&self.directory).map_err(self.failed())?;
        self.source
            .fetch(&self.layer.blob, Destination::File(&blob), &*progress)
            .await
            .map_err(|error| error.writing_to(&self.output))?;
        let diff_id = self.layer.diff_id;
        let converted = tokio::task::spawn_blocking(move || self.convert(blob)).await??;
        progress.decompressed(&diff_id);
        Ok((diff_id, converted))
    }

    fn convert(&self, mut blob: File) -> Result<u64, Error> {
        blob.rewind().map_err(self.failed())?;
        let Layer {
            blob: descriptor,
            diff_id,
            ..
        } = &self.layer;
        let path = self.directory.join(file_name(diff_id));
        // The image is read where it was written (`File::create` cannot read).
        let mut options = File::options();
        let image = options.read(true).write(true).create_new(true).open(path);
        let image = image.map_err(self.failed())?;
        let source = erofs::Source {
            layer: blob,
            size: Some(descriptor.size),
            diff_id: Some(*diff_id),
            limit: self.limit,
        };
        let converted = erofs::convert(source, &image, &self.directory);
        let converted = converted.map_err(|source| Error::Erofs {
            layer: descriptor.digest,
            source: Box::new(source),
        })?;
        Ok(converted.size)
    }

    fn failed(&self) -> impl Fn(io::Error) -> Error {
        let path = self.output.clone();
        move |source| output::Error::write(&path, source).into()
    }
}
