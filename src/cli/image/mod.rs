//! `hocker image`: a whole image as a file or directory, one module a format.

mod blobs;
mod docker_archive;
mod layout_archive;
mod oci_dir;

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::blobs::Blobs;
use super::args::{Format, ImageArgs};
use super::manifest::existing;
use super::progress::Display;
use super::source::{Source, platform};
use super::{Context, Error, classic, stdout};
use hocker::archive::docker_save::Kind;
use hocker::archive::names::Names;
use hocker::archive::stored_image::{self, Choice};
use hocker::name::Reference;
use hocker::oci::config::ImageConfig;
use hocker::oci::descriptor::Descriptor;
use hocker::oci::document::Document;
use hocker::oci::manifest::Manifest;
use hocker::oci::platform::Platform;
use hocker::output::{OutputDirectory, OutputFile};
use hocker::registry::Registry;

/// An image whose layers are still where they come from.
struct Image {
    blobs: Blobs,
    display: Display,
    names: Names,
    manifest: Document<Manifest>,
    config: Config,
}

/// The configuration of an image.
enum Config {
    AtHand(Document<ImageConfig>),
    /// In a registry, under the manifest of this reference.
    Elsewhere(Arc<Registry>, Reference),
}

/// Where an image is.
enum Place {
    Registry {
        registry: Box<Registry>,
        reference: Reference,
        platform: Platform,
    },
    Disk {
        path: PathBuf,
        name: Option<String>,
        platform: Platform,
    },
}

pub(super) async fn run(args: ImageArgs, context: &Context) -> Result<(), Error> {
    let ImageArgs { format, output, .. } = &args;
    let (format, output) = (*format, output.clone());
    let tags = args.tags.clone();
    let limit = args.max_layer_size.unwrap_or_default();
    let place = Place::of(args, context).await?;
    let path = &output.out;
    // The output comes first: what cannot be written need not be fetched.
    let is_named = if format == Format::OciDir {
        let directory = match path.as_os_str().as_bytes() {
            b"-" => return Err(Error::DirectoryToStdout),
            _ if output.force => return Err(Error::ForceDirectory),
            _ => OutputDirectory::create(path)?,
        };
        let image = place.open(&tags, context).await?;
        oci_dir::write(image, path, directory).await?;
        true
    } else {
        let file = match path.as_os_str().as_bytes() {
            b"-" => OutputFile::standard_output()?,
            _ => OutputFile::create(path, existing(output.force))?,
        };
        let is_named = file.is_seekable();
        let image = place.open(&tags, context).await?;
        match format {
            Format::DockerSave => layout_archive::write(image, Kind::DockerSave, file).await?,
            Format::OciArchive => layout_archive::write(image, Kind::OciArchive, file).await?,
            Format::DockerArchive | Format::OciDir => {
                docker_archive::write(image, limit, file).await?;
            }
        }
        is_named
    };
    // A pipe that is named, like /dev/stdout, gets nothing but the data.
    if !is_named {
        return Ok(());
    }
    // The classic program printed where it wrote to.
    stdout::write(&[path.as_os_str().as_bytes(), b"\n"].concat())
}

impl Place {
    async fn of(args: ImageArgs, context: &Context) -> Result<Self, Error> {
        let platform = platform(args.platform);
        if is_path(&args.source.image) {
            if args.source.tag.is_some() || args.source.registry.is_some() {
                return Err(Error::RegistryOfPath);
            }
            return Ok(Self::Disk {
                path: PathBuf::from(args.source.image),
                name: args.name,
                platform,
            });
        }
        if args.name.is_some() {
            return Err(Error::NameOfReference);
        }
        let source = Source::new(args.source)?;
        let registry = source.registry(args.credentials, context).await?;
        Ok(Self::Registry {
            registry: Box::new(registry),
            reference: source.reference,
            platform,
        })
    }

    async fn open(self, tags: &[Reference], context: &Context) -> Result<Image, Error> {
        let mut image = match self {
            Self::Registry {
                registry,
                reference,
                platform,
            } => Image::resolve(*registry, reference, &platform, context).await?,
            Self::Disk {
                path,
                name,
                platform,
            } => Image::of_files(&path, name.as_deref(), &platform, context)?,
        };
        for tag in tags {
            image.names.add(tag);
        }
        Ok(image)
    }
}

/// Whether an image is on disk: no reference begins like a path.
fn is_path(image: &str) -> bool {
    matches!(image, "." | "..")
        || ["/", "./", "../"]
            .iter()
            .any(|start| image.starts_with(start))
}

impl Image {
    async fn resolve(
        registry: Registry,
        reference: Reference,
        platform: &Platform,
        context: &Context,
    ) -> Result<Self, Error> {
        let manifest = registry.resolve(&reference, platform).await?.manifest;
        let registry = Arc::new(registry);
        Ok(Self {
            names: names(&registry, &reference),
            blobs: Blobs::Registry {
                registry: Arc::clone(&registry),
                repository: reference.repository.clone(),
            },
            display: context.display.clone(),
            manifest,
            config: Config::Elsewhere(registry, reference),
        })
    }

    fn of_files(
        path: &Path,
        name: Option<&str>,
        platform: &Platform,
        context: &Context,
    ) -> Result<Self, Error> {
        let composition = stored_image::open(path, &Choice { name, platform })?;
        let config = composition
            .image_config()
            .map_err(stored_image::Error::from)?;
        Ok(Self {
            blobs: Blobs::of_files(&composition),
            display: context.display.clone(),
            manifest: composition.manifest().clone(),
            names: composition.names,
            config: Config::AtHand(config),
        })
    }

    /// The configuration, found to belong to the manifest. Nothing of an image that has none is worth having, but its
    /// layers may come at the same time.
    async fn config(&self) -> Result<Document<ImageConfig>, Error> {
        match &self.config {
            Config::AtHand(config) => Ok(config.clone()),
            Config::Elsewhere(registry, reference) => {
                Ok(registry.config(reference, &self.manifest).await?)
            }
        }
    }

    /// Whether a blob is the configuration.
    fn is_config(&self, blob: &Descriptor) -> bool {
        blob.digest == self.manifest.config.digest
    }
}

/// What the image is to be called; also in the classic spelling where the caller is classic.
fn names(registry: &Registry, reference: &Reference) -> Names {
    let mut names = Names::of_reference(reference);
    if let Some(tag) = &names.tag
        && classic::is_classic()
    {
        let name = registry.endpoint().classic_name(&reference.repository);
        names.repo_tags.push(format!("{name}:{tag}"));
    }
    names
}
