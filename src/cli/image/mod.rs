//! `hocker image`: a whole image as a file or directory, one module a format.

mod docker_archive;
mod oci_dir;

use std::collections::HashSet;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;

use super::args::{Format, ImageArgs};
use super::manifest::existing;
use super::progress::Display;
use super::source::{Source, platform};
use super::{Context, Error, classic, config, stdout};
use crate::archive::names::Names;
use crate::config::ImageConfig;
use crate::descriptor::Descriptor;
use crate::digest::DiffId;
use crate::document::Document;
use crate::manifest::Manifest;
use crate::output::{OutputDirectory, OutputFile};
use crate::platform::Platform;
use crate::reference::Reference;
use crate::registry::{Blob, Registry, Role};

/// An image whose layers are still in the registry.
struct Image {
    registry: Arc<Registry>,
    display: Display,
    reference: Reference,
    manifest: Document<Manifest>,
    config: Document<ImageConfig>,
}

pub(super) async fn run(args: ImageArgs, context: &Context) -> Result<(), Error> {
    let source = Source::new(args.source)?;
    let registry = source.registry(args.credentials, context).await?;
    let platform = platform(args.platform);
    let path = &args.output.out;
    let to_stdout = path.as_os_str() == "-";
    let mut is_named = !to_stdout;
    // The output comes first: what cannot be written need not be fetched.
    match args.format {
        Format::DockerArchive if to_stdout => {
            let image = Image::resolve(context, registry, source.reference, &platform).await?;
            docker_archive::write_to_stdout(image).await?;
        }
        Format::DockerArchive => {
            let file = OutputFile::create(path, existing(args.output.force))?;
            is_named = file.is_seekable();
            let image = Image::resolve(context, registry, source.reference, &platform).await?;
            docker_archive::write_to_file(image, path, file).await?;
        }
        Format::OciDir if to_stdout => return Err(Error::DirectoryToStdout),
        Format::OciDir if args.output.force => return Err(Error::ForceDirectory),
        Format::OciDir => {
            let directory = OutputDirectory::create(path)?;
            let image = Image::resolve(context, registry, source.reference, &platform).await?;
            oci_dir::write(image, path, directory).await?;
        }
    }
    // A pipe that is named, like /dev/stdout, gets nothing but the data.
    if !is_named {
        return Ok(());
    }
    // The classic program printed where it wrote to.
    stdout::write(&[path.as_os_str().as_bytes(), b"\n"].concat())
}

impl Image {
    async fn resolve(
        context: &Context,
        registry: Registry,
        reference: Reference,
        platform: &Platform,
    ) -> Result<Self, Error> {
        let manifest = registry.resolve(&reference, platform).await?.manifest;
        let config = config::fetch(&registry, &reference, &manifest).await?;
        Ok(Self {
            registry: Arc::new(registry),
            display: context.display.clone(),
            reference,
            manifest,
            config,
        })
    }

    /// A layer, as the registry is asked for it.
    fn blob(&self, layer: &Descriptor) -> Blob {
        Blob {
            repository: self.reference.repository.clone(),
            role: Role::Layer,
            digest: layer.digest,
            size: Some(layer.size),
        }
    }

    /// The layers with their diff ids, each only once however often the image repeats it.
    fn distinct_layers(&self) -> Vec<(Descriptor, DiffId)> {
        let mut seen = HashSet::new();
        self.manifest
            .layers
            .iter()
            .zip(self.config.diff_ids())
            .filter(|(layer, diff_id)| seen.insert((layer.digest, **diff_id)))
            .map(|(layer, diff_id)| (layer.clone(), *diff_id))
            .collect()
    }

    /// What the image is to be called; also in the classic spelling where the caller is classic.
    fn names(&self) -> Names {
        let mut names = Names::of_reference(&self.reference);
        if let Some(tag) = &names.tag
            && classic::is_classic()
        {
            let name = self
                .registry
                .endpoint()
                .classic_name(&self.reference.repository);
            names.repo_tags.push(format!("{name}:{tag}"));
        }
        names
    }
}
