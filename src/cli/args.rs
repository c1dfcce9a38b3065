//! The definition of the command line. Its doc comments are the texts of `--help`.

mod diff;
mod erofs;
pub(crate) mod lock;
#[cfg(target_os = "linux")]
mod mount;
mod mount_points;
mod on_disk;
pub(crate) mod values;

pub(crate) use self::diff::{DiffArgs, DiffFormat, LockDiffArgs, ShownArgs};
pub(crate) use self::erofs::ErofsArgs;
#[cfg(target_os = "linux")]
pub(crate) use self::mount::{MountArgs, UmountArgs};
pub(crate) use self::mount_points::MountPointArgs;
pub(crate) use self::on_disk::{DaemonArgs, LoadArgs, PruneArgs, ServeArgs};

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Parser, Subcommand, ValueEnum};

use url::Url;

use super::classic;
use super::redacted::Redacted;
use hocker::compression::Limit;
use hocker::name::Reference;
use hocker::name::endpoint::Endpoint;
use hocker::name::mirror::Mirror;
use hocker::oci::descriptor::MAX_BLOB_SIZE;
use hocker::oci::digest::{self, Digest};
use hocker::oci::platform::Platform;
use hocker::secret::Secret;

/// Fetch container images into the Nix store, layer by layer, and learn their hashes without a download
#[derive(Debug, Parser)]
#[command(
    name = "hocker",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub(crate) struct Args {
    /// The command.
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Show no progress, and write no access log
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,

    /// Print the sources of credentials and of certificate authorities
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,

    #[command(flatten)]
    pub(crate) transport: TransportArgs,
}

/// Retries, timeouts, mirrors and blob stores.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Network")]
pub(crate) struct TransportArgs {
    /// Retry up to N transient failures in a row [default: 4]
    #[arg(long, global = true, value_name = "N")]
    pub(crate) retries: Option<u32>,

    /// Wait at most this many seconds before the first retry; each further retry doubles the delay [default: 0.5]
    #[arg(long, global = true, value_name = "SECONDS", value_parser = values::seconds)]
    pub(crate) retry_delay: Option<Duration>,

    /// Abort a transfer after this many seconds without data [default: 60]
    #[arg(long, global = true, value_name = "SECONDS", value_parser = values::seconds)]
    pub(crate) stall_timeout: Option<Duration>,

    /// Try this mirror before the registry, by digest only; may be given several times
    #[arg(long, global = true, value_name = "REGISTRY=URL", value_parser = Redacted(str::parse::<Mirror>))]
    pub(crate) mirror: Vec<Mirror>,

    /// Follow redirects for layers to this server, even if its address is internal or its scheme is http; may be
    /// given several times
    #[arg(long, global = true, value_name = "URL", value_parser = Redacted(values::origin))]
    pub(crate) blobs_from: Vec<Url>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print the manifest of an image, byte for byte
    Manifest(ManifestArgs),
    /// Print or write the config of an image
    Config(ConfigArgs),
    /// Write one layer of an image
    Layer(LayerArgs),
    /// Write a whole image
    Image(ImageArgs),
    /// Print a Nix expression that fetches an image
    Docker2nix(Docker2nixArgs),
    /// Report where hocker finds credentials, what the registry requires, and whether it grants access
    LoginCheck(LoginCheckArgs),
    /// Maintain a lock file: pin images, follow their tags and compare versions, without a download
    Lock(lock::LockArgs),
    /// Show what changed between two images
    Diff(DiffArgs),
    /// Serve images from disk as a read-only registry
    Serve(ServeArgs),
    /// Load an image from disk into Docker, Podman or containerd, and send only what the daemon lacks
    Load(LoadArgs),
    /// Remove images that `load --state` added and that you no longer keep
    Prune(PruneArgs),
    /// Convert a layer into an EROFS file system image
    Erofs(ErofsArgs),
    /// Mount an image on a directory
    #[cfg(target_os = "linux")]
    Mount(MountArgs),
    /// Unmount an image
    #[cfg(target_os = "linux")]
    Umount(UmountArgs),
    /// Build the output of a derivation; Nix starts this command
    #[command(hide = true)]
    Builder,
    /// Stream the image that a compositeImage.sh describes; the first line of that file starts this command
    #[command(hide = true)]
    Composite(CompositeArgs),
    /// Print the completions for a shell; packages install them
    #[command(hide = true)]
    Completions(CompletionsArgs),
    /// Write the manual pages; packages install them
    #[command(hide = true)]
    Man(ManArgs),
}

/// An image and its registry.
#[derive(Debug, clap::Args)]
pub(crate) struct SourceArgs {
    /// Image, as `docker pull` takes it: debian, ghcr.io/a/b:1, localhost:5000/x@sha256:…
    #[arg(value_name = "IMAGE")]
    pub(crate) image: String,

    /// Tag or digest, if IMAGE has none
    #[arg(value_name = "TAG")]
    pub(crate) tag: Option<String>,

    /// Fetch from the registry at this URL; IMAGE is then the full name of the repository
    #[arg(long, value_name = "URL", value_parser = Redacted(str::parse::<Endpoint>))]
    pub(crate) registry: Option<Endpoint>,
}

/// The platform that selects an image from an index.
#[derive(Debug, clap::Args)]
pub(crate) struct PlatformArgs {
    /// Select this platform from a multi-platform image [default: linux on this machine's architecture]
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    pub(crate) platform: Option<Platform>,
}

/// Credentials for the registry.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Credentials")]
#[group(skip)]
pub(crate) struct CredentialArgs {
    /// Log in with this user name
    #[arg(short, long, value_name = "NAME", conflicts_with_all = ["token", "credentials_file"])]
    pub(crate) username: Option<String>,

    /// Log in with this password; other users of the machine can read it, so prefer --password-stdin
    #[arg(
        short,
        long,
        value_name = "PASSWORD",
        allow_hyphen_values = true,
        requires = "username",
        conflicts_with = "password_stdin"
    )]
    pub(crate) password: Option<Secret>,

    /// Read the password from standard input
    #[arg(long, requires = "username")]
    pub(crate) password_stdin: bool,

    /// Send this bearer token to the registry
    #[arg(
        short,
        long,
        value_name = "TOKEN",
        allow_hyphen_values = true,
        conflicts_with = "credentials_file"
    )]
    pub(crate) token: Option<Secret>,

    /// Read credentials from a file with `USERNAME=` and `PASSWORD=` lines, or with a `BEARER_TOKEN=` line
    #[arg(short = 'f', long, value_name = "FILE")]
    pub(crate) credentials_file: Option<PathBuf>,
}

impl CredentialArgs {
    /// Whether any of these arguments is given.
    #[must_use]
    pub(crate) fn is_given(&self) -> bool {
        self.username.is_some() || self.token.is_some() || self.credentials_file.is_some()
    }
}

/// `hocker manifest`
#[derive(Debug, clap::Args)]
pub(crate) struct ManifestArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) platform: PlatformArgs,

    /// Print the index of a multi-platform image, not the manifest of one platform
    #[arg(long, conflicts_with = "platform")]
    pub(crate) index: bool,

    #[command(flatten)]
    pub(crate) output: OptionalOutputArgs,
    #[command(flatten)]
    pub(crate) credentials: CredentialArgs,
}

/// `hocker config`
#[derive(Debug, clap::Args)]
pub(crate) struct ConfigArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) platform: PlatformArgs,
    #[command(flatten)]
    pub(crate) output: OptionalOutputArgs,
    #[command(flatten)]
    pub(crate) credentials: CredentialArgs,
}

/// An output file, in place of standard output.
#[derive(Debug, clap::Args)]
pub(crate) struct OptionalOutputArgs {
    /// Write to this file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,

    /// Replace the file if it exists; the programs with classic names always do
    #[arg(long, requires = "out")]
    pub(crate) force: bool,
}

/// An output file.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct OutputArgs {
    /// Write to this file; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: PathBuf,

    /// Replace the file if it exists; the programs with classic names always do
    #[arg(long)]
    pub(crate) force: bool,
}

/// `hocker layer`
#[derive(Debug, clap::Args)]
pub(crate) struct LayerArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,

    /// Write the layer with this digest, given with or without `sha256:`
    #[arg(short, long, alias = "imageLayer", value_name = "DIGEST", value_parser = layer_digest)]
    pub(crate) layer: Digest,

    /// Expect this size in bytes, as in the manifest; without it, the limit is 16 GiB
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(..=MAX_BLOB_SIZE))]
    pub(crate) size: Option<u64>,

    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) credentials: CredentialArgs,
}

fn layer_digest(text: &str) -> Result<Digest, digest::ParseError> {
    Digest::parse_lenient(text)
}

/// `hocker image`
#[derive(Debug, clap::Args)]
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
    /// A directory from which podman runs the image without loading it, after you mount its layers: they are EROFS file
    /// system images
    ErofsDir,
}

impl Format {
    /// Whether the image is a directory.
    pub(crate) fn is_directory(self) -> bool {
        matches!(self, Self::OciDir | Self::ErofsDir)
    }
}

/// `hocker docker2nix`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "With IMAGE alone, hocker fetches the manifest and makes it a part of the expression. With IMAGE \
    and TAG, as the classic program takes them, hocker reads the manifest from standard input or from --manifest, \
    and uses no network."
)]
pub(crate) struct Docker2nixArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) platform: PlatformArgs,

    /// Read the manifest from this file and fetch nothing; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest: Option<PathBuf>,

    /// Give the derivation this name [default: the image's name]
    #[arg(
        long = "alt-name",
        visible_alias = "altName",
        alias = "altImageName",
        value_name = "NAME"
    )]
    pub(crate) alternative_name: Option<String>,

    #[command(flatten)]
    pub(crate) credentials: CredentialArgs,
}

/// `hocker login-check`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The command fetches no content. Its exit codes: 0 allowed, 4 denied, 6 unavailable."
)]
pub(crate) struct LoginCheckArgs {
    /// Image, or a registry alone: ghcr.io, localhost:5000
    #[arg(value_name = "IMAGE_OR_REGISTRY", required_unless_present = "registry")]
    pub(crate) target: Option<String>,

    /// Ask the registry at this URL; the image is then the full name of the repository
    #[arg(long, value_name = "URL", value_parser = Redacted(str::parse::<Endpoint>))]
    pub(crate) registry: Option<Endpoint>,

    #[command(flatten)]
    pub(crate) credentials: CredentialArgs,
}

/// A limit for decompressed layers.
#[derive(Debug, clap::Args)]
pub(crate) struct LimitArgs {
    /// Refuse layers that decompress to more than this [default: 1 GiB or 200 times the compressed size, whichever is
    /// more]
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_layer_size: Option<Limit>,
}

/// `hocker composite`
#[derive(Debug, clap::Args)]
pub(crate) struct CompositeArgs {
    /// The compositeImage.sh
    #[arg(value_name = "FILE")]
    pub(crate) script: PathBuf,
}

/// `hocker completions`
#[derive(Debug, clap::Args)]
pub(crate) struct CompletionsArgs {
    /// Shell
    #[arg(value_name = "SHELL", value_enum)]
    pub(crate) shell: clap_complete::Shell,

    /// Program to complete: hocker, or one of the classic names
    #[arg(value_name = "PROGRAM", default_value = "hocker", value_parser = program())]
    pub(crate) program: &'static str,
}

/// Parses one of the program's names.
fn program() -> impl TypedValueParser<Value = &'static str> {
    PossibleValuesParser::new(classic::PROGRAMS).map(|text| {
        classic::PROGRAMS
            .into_iter()
            .find(|name| *name == text)
            .unwrap_or("hocker")
    })
}

/// `hocker man`
#[derive(Debug, clap::Args)]
pub(crate) struct ManArgs {
    /// Directory for the pages; existing pages are replaced
    #[arg(value_name = "DIRECTORY")]
    pub(crate) directory: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn classic_command_lines_are_understood() {
        for line in [
            "hocker image --out ./hello-world.tar.gz library/hello-world linux",
            "hocker manifest library/debian jessie",
            "hocker layer --out=x --registry https://r.example/v2/ --username u --password p --layer ca4f61b1923c10e9eb81228bd46bee1dfba02b9c7dac1844527a734752688ede repo/image tag",
            "hocker layer -t TOKEN -l ca4f61b1923c10e9eb81228bd46bee1dfba02b9c7dac1844527a734752688ede --out x a b",
            "hocker config -u u -p p a b --out x",
            "hocker config -f file a b",
            "hocker docker2nix --registry http://localhost:5000/v2/ --manifest m.json --altName x a b",
        ] {
            if let Err(error) = Args::try_parse_from(line.split(' ')) {
                panic!("{line}: {error}");
            }
        }
    }

    #[test]
    fn credentials_of_two_kinds_are_refused() {
        for line in [
            "hocker config -u u -p p -t t a",
            "hocker config -t t -f f a",
            "hocker config -p p a",
            "hocker config -u u -p p --password-stdin a",
        ] {
            assert!(Args::try_parse_from(line.split(' ')).is_err(), "{line}");
        }
    }
}
