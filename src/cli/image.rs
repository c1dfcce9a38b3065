//! `hocker image`: write a whole image as a file or directory.

use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use super::args::{Format, ImageArgs, PlatformArgs};
use super::manifest::existing;
use super::source::{Source, platform, resolve};
use super::{Context, Error, classic, stdout};
use hocker::archive::docker_save::ArchiveFormat;
use hocker::archive::names::Names;
use hocker::archive::stored_image::Selection;
use hocker::name::{Endpoint, Reference};
use hocker::oci::platform::Platform;
use hocker::output::{OutputDirectory, OutputFile};
use hocker::pull::{Image, ImageProgress, LayerNames};
use hocker::registry::Registry;

/// The source of an image.
enum ImageSource {
    Registry {
        /// The argument.
        name: String,
        registry: Box<Registry>,
        reference: Reference,
        platform: PlatformArgs,
    },
    Disk {
        path: PathBuf,
        name: Option<String>,
        platform: Platform,
        is_platform_required: bool,
    },
}

pub(super) async fn run(args: ImageArgs, context: &Context) -> Result<(), Error> {
    let ImageArgs { format, output, .. } = &args;
    let (format, output) = (*format, output.clone());
    let tags = args.tags.clone();
    let limit = args.max_layer_size.unwrap_or_default();
    let mount_points = args.mount_points.clone();
    if mount_points.is_given() && format != Format::Erofs {
        return Err(Error::MountPointsOfFormat);
    }
    let source = ImageSource::of(args, context).await?;
    let path = &output.out;
    // The output is created first, so that hocker fetches nothing that it cannot write.
    let is_named = if format.is_directory() {
        let directory = match path.as_os_str().as_bytes() {
            b"-" => return Err(Error::DirectoryToStdout),
            _ if output.force => return Err(Error::ForceDirectory),
            _ => OutputDirectory::create(path)?,
        };
        let image = source.open(&tags, context).await?;
        if format == Format::ErofsDir {
            image.write_store(limit, path, directory).await?;
        } else {
            image.write_layout(path, directory).await?;
        }
        true
    } else {
        let file = match path.as_os_str().as_bytes() {
            b"-" => OutputFile::standard_output()?,
            _ => OutputFile::create(path, existing(output.force))?,
        };
        let is_named = file.is_seekable();
        let image = source.open(&tags, context).await?;
        match format {
            Format::DockerSave => {
                image
                    .write_layout_archive(ArchiveFormat::DockerSave, file)
                    .await?;
            }
            Format::OciArchive => {
                image
                    .write_layout_archive(ArchiveFormat::OciArchive, file)
                    .await?;
            }
            Format::Erofs => {
                image
                    .write_rootfs(limit, mount_points.into_points(), file)
                    .await?;
            }
            Format::DockerArchive | Format::OciDir | Format::ErofsDir => {
                image
                    .write_docker_archive(LayerNames::Files, limit, file)
                    .await?;
            }
        }
        is_named
    };
    // `--out` may name a pipe, like /dev/stdout, which gets only the data.
    if !is_named {
        return Ok(());
    }
    // The classic program prints the path of its output.
    stdout::write(&[path.as_os_str().as_bytes(), b"\n"].concat())
}

impl ImageSource {
    async fn of(args: ImageArgs, context: &Context) -> Result<Self, Error> {
        if is_path(&args.source.image) {
            if args.source.tag.is_some() || args.source.registry.is_some() {
                return Err(Error::RegistryOfPath);
            }
            return Ok(Self::Disk {
                path: PathBuf::from(args.source.image),
                name: args.name,
                is_platform_required: args.platform.platform.is_some(),
                platform: platform(args.platform),
            });
        }
        if args.name.is_some() {
            return Err(Error::NameOfReference);
        }
        let name = args.source.image.clone();
        let source = Source::new(args.source)?;
        let registry = source.registry(args.credentials, context).await?;
        Ok(Self::Registry {
            name,
            registry: Box::new(registry),
            reference: source.reference,
            platform: args.platform,
        })
    }

    async fn open(self, tags: &[Reference], context: &Context) -> Result<Image, Error> {
        let mut image = match self {
            Self::Registry {
                name,
                registry,
                reference,
                platform,
            } => {
                let endpoint = registry.endpoint().clone();
                let resolved = resolve(&registry, &reference, platform).await;
                let resolved = resolved.map_err(|error| error.of_name(&name))?;
                let (registry, progress) = (Arc::new(*registry), progress(context));
                let mut image = Image::of_resolved(registry, reference.clone(), resolved, progress);
                add_classic_name(&mut image.names, &endpoint, &reference);
                image
            }
            Self::Disk {
                path,
                name,
                platform,
                is_platform_required,
            } => {
                let progress = progress(context);
                // An archive may have to be unpacked, and signals must be heard meanwhile.
                let open = move || {
                    let selection = Selection {
                        name: name.as_deref(),
                        platform: &platform,
                        is_platform_required,
                    };
                    Image::on_disk(&path, &selection, progress)
                };
                let opened = tokio::task::spawn_blocking(open).await;
                opened.map_err(Error::Task)??
            }
        };
        for tag in tags {
            image.names.add(tag);
        }
        Ok(image)
    }
}

/// Whether an image is on disk. No reference begins like a path.
pub(super) fn is_path(image: &str) -> bool {
    matches!(image, "." | "..")
        || ["/", "./", "../"]
            .iter()
            .any(|start| image.starts_with(start))
}

/// Returns the display for the progress of an image's layers.
fn progress(context: &Context) -> Arc<dyn ImageProgress> {
    Arc::new(context.display.clone())
}

/// Adds the classic name of the image, if the program was called by a classic name.
fn add_classic_name(names: &mut Names, endpoint: &Endpoint, reference: &Reference) {
    if let Some(tag) = &names.tag
        && classic::is_classic()
    {
        let name = endpoint.classic_name(&reference.repository);
        names.repo_tags.push(format!("{name}:{tag}"));
    }
}
