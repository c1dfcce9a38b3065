//! `hocker image`, which writes a whole image.

use clap::ValueEnum;

use super::{CredentialArgs, MountPointArgs, OutputArgs, PlatformArgs, SourceArgs};
use hocker::compression::Limit;
use hocker::name::Reference;

/// `hocker image`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "An IMAGE that begins with /, ./ or ../ is an image on disk, which hocker does not fetch: an OCI image layout, \
                  a result of fetchdocker, or an archive such as that of docker save."
)]
pub(crate) struct ImageArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) platform: PlatformArgs,

    /// Write the image in this format
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,

    /// Select the image with this name or digest from several
    #[arg(long = "image", value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// Add this name to the image; may be given several times
    #[arg(long = "tag", value_name = "NAME", value_parser = tag)]
    pub(crate) tags: Vec<Reference>,

    /// Refuse layers that decompress to more than this [default: 1 GiB or 200 times the compressed size, whichever is
    /// more]
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_layer_size: Option<Limit>,

    #[command(flatten)]
    pub(crate) mount_points: MountPointArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) credentials: CredentialArgs,
}

fn tag(text: &str) -> Result<Reference, String> {
    match text.parse::<Reference>() {
        Ok(reference) if reference.digest.is_some() => {
            Err("a name has no digest; it is like debian:12".to_owned())
        }
        Ok(reference) => Ok(reference),
        Err(error) => Err(error.to_string()),
    }
}

/// The formats of a whole image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A tar for every `docker load`; the layers are decompressed and named after their diff IDs
    #[default]
    DockerArchive,
    /// A tar for `docker load` from Docker 20.10 on, which is also an OCI image layout; it has the registry's layers
    /// unchanged, and so keeps the registry's digest
    DockerSave,
    /// A tar of an OCI image layout, with the registry's layers unchanged
    OciArchive,
    /// A directory with an OCI image layout, with the registry's layers unchanged
    OciDir,
    /// One EROFS file system image of all layers together, which Linux mounts: the root of a systemd service, of
    /// systemd-nspawn or of a virtual machine
    Erofs,
    /// A directory from which Podman runs the image without loading it, after you mount its layers: they are EROFS file
    /// system images
    ErofsDir,
}

impl Format {
    /// Whether the image is a directory.
    pub(crate) fn is_directory(self) -> bool {
        matches!(self, Self::OciDir | Self::ErofsDir)
    }
}
