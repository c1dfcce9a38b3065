//! Arguments: what can be asked for. The doc comments here are the help texts.

pub(crate) mod lock;
mod on_disk;
pub(crate) mod values;

pub(crate) use self::on_disk::{DaemonArgs, LoadArgs, PruneArgs, ServeArgs};

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Parser, Subcommand, ValueEnum};

use url::Url;

use super::classic;
use super::unquoted::Unquoted;
use hocker::compression::Limit;
use hocker::name::Reference;
use hocker::name::endpoint::Endpoint;
use hocker::name::mirror::Mirror;
use hocker::oci::descriptor::MAX_BLOB_SIZE;
use hocker::oci::digest::{self, Digest};
use hocker::oci::platform::Platform;
use hocker::secret::Secret;

/// Registry images into the Nix store, layer by layer, without downloading anything to learn its hash.
#[derive(Debug, Parser)]
#[command(
    name = "hocker",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub(crate) struct Args {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Show no progress, and write no access log
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,

    /// Tell more: where credentials come from
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,

    #[command(flatten)]
    pub(crate) transport: TransportArgs,
}

/// How stubborn to be with registries.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Network")]
pub(crate) struct TransportArgs {
    /// Retry so many failures in a row that may pass by themselves [default: 4]
    #[arg(long, global = true, value_name = "N")]
    pub(crate) retries: Option<u32>,

    /// Wait so long before the first retry; the delay doubles with each [default: 0.5]
    #[arg(long, global = true, value_name = "SECONDS", value_parser = values::seconds)]
    pub(crate) retry_delay: Option<Duration>,

    /// Give up on a connection on which nothing comes for so long [default: 60]
    #[arg(long, global = true, value_name = "SECONDS", value_parser = values::seconds)]
    pub(crate) stall_timeout: Option<Duration>,

    /// Ask there first for what a registry has, by digest only; may be given several times
    #[arg(long, global = true, value_name = "REGISTRY=URL", value_parser = Unquoted(str::parse::<Mirror>))]
    pub(crate) mirror: Vec<Mirror>,

    /// Follow redirects for layers to this server though its address is internal or it is not https; may be given
    /// several times
    #[arg(long, global = true, value_name = "URL", value_parser = Unquoted(values::origin))]
    pub(crate) blobs_from: Vec<Url>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print an image's manifest, byte for byte
    Manifest(ManifestArgs),
    /// Print or write an image's configuration
    Config(ConfigArgs),
    /// Write one layer of an image
    Layer(LayerArgs),
    /// Write a whole image
    Image(ImageArgs),
    /// Print a Nix expression that fetches an image
    Docker2nix(Docker2nixArgs),
    /// Tell where credentials are found, what a registry asks for, and whether it lets you in
    LoginCheck(LoginCheckArgs),
    /// Keep a lock file: images that are pinned, followed and compared without a download
    Lock(lock::LockArgs),
    /// Serve images on disk as a read-only registry
    Serve(ServeArgs),
    /// Bring an image on disk into dockerd or podman, sending only what is not there
    Load(LoadArgs),
    /// Remove images that `load --state` brought and that are no longer wanted
    Prune(PruneArgs),
    /// Build what a derivation describes; Nix starts this
    #[command(hide = true)]
    Builder,
    /// Stream the image that a compositeImage.sh describes; its first line starts this
    #[command(hide = true)]
    Composite(CompositeArgs),
    /// Print completions for a shell; packages install them
    #[command(hide = true)]
    Completions(CompletionsArgs),
    /// Write the manual pages; packages install them
    #[command(hide = true)]
    Man(ManArgs),
}

/// Which image, and where.
#[derive(Debug, clap::Args)]
pub(crate) struct SourceArgs {
    /// The image, as `docker pull` takes it: debian, ghcr.io/a/b:1, localhost:5000/x@sha256:…
    #[arg(value_name = "IMAGE")]
    pub(crate) image: String,

    /// The tag or digest, where IMAGE does not say it
    #[arg(value_name = "TAG")]
    pub(crate) tag: Option<String>,

    /// The registry's URL; IMAGE is then taken as the repository's full name
    #[arg(long, value_name = "URL", value_parser = Unquoted(str::parse::<Endpoint>))]
    pub(crate) registry: Option<Endpoint>,
}

/// Which of the images of an index.
#[derive(Debug, clap::Args)]
pub(crate) struct PlatformArgs {
    /// The platform to choose from an index [default: linux on this machine's architecture]
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    pub(crate) platform: Option<Platform>,
}

/// Who is asking.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Credentials")]
#[group(skip)]
pub(crate) struct CredentialArgs {
    /// The user's name
    #[arg(short, long, value_name = "NAME", conflicts_with_all = ["token", "credentials_file"])]
    pub(crate) username: Option<String>,

    /// The password; other users of the machine can read it here, so prefer --password-stdin
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

    /// A bearer token for the registry
    #[arg(
        short,
        long,
        value_name = "TOKEN",
        allow_hyphen_values = true,
        conflicts_with = "credentials_file"
    )]
    pub(crate) token: Option<Secret>,

    /// A file with `USERNAME=` and `PASSWORD=` lines, or a `BEARER_TOKEN=` line
    #[arg(short = 'f', long, value_name = "FILE")]
    pub(crate) credentials_file: Option<PathBuf>,
}

impl CredentialArgs {
    /// Whether there are any.
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

    /// Print the index that the reference names, not the manifest of one platform
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

/// Where to write what is otherwise printed.
#[derive(Debug, clap::Args)]
pub(crate) struct OptionalOutputArgs {
    /// Write to a file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,

    /// Replace the file if it exists, as the programs with classic names always do
    #[arg(long, requires = "out")]
    pub(crate) force: bool,
}

/// Where to write.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct OutputArgs {
    /// Write to a file; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: PathBuf,

    /// Replace the file if it exists, as the programs with classic names always do
    #[arg(long)]
    pub(crate) force: bool,
}

/// `hocker layer`
#[derive(Debug, clap::Args)]
pub(crate) struct LayerArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,

    /// The layer's digest, with or without `sha256:`
    #[arg(short, long, alias = "imageLayer", value_name = "DIGEST", value_parser = layer_digest)]
    pub(crate) layer: Digest,

    /// The layer's size in bytes, as the manifest has it; without it, at most 16 GiB are taken
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

    /// What to write
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,

    /// Which image of a layout that has several
    #[arg(long = "image", value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// A further name of the image, or the only one of an image that has none; may be given several times
    #[arg(long = "tag", value_name = "NAME", value_parser = tag)]
    pub(crate) tags: Vec<Reference>,

    /// Refuse layers that decompress to more [default: 1G, or 200 times the compressed size if that is more]
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_layer_size: Option<Limit>,

    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) credentials: CredentialArgs,
}

fn tag(text: &str) -> Result<Reference, String> {
    match text.parse::<Reference>() {
        Ok(reference) if reference.digest.is_some() => {
            Err("a digest is not for the user to give; a name is like debian:12".to_owned())
        }
        Ok(reference) => Ok(reference),
        Err(error) => Err(error.to_string()),
    }
}

/// The formats of a whole image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A tar that `docker load` reads, with plain layers named after their diff ids
    #[default]
    DockerArchive,
    /// The same for Docker from 20.10 on, with the layers as they are: also an OCI image layout, which keeps
    /// the registry's digest
    DockerSave,
    /// A tar of the OCI image layout, with the layers as they are
    OciArchive,
    /// A directory in the OCI image layout, with the layers as they are
    OciDir,
}

/// `hocker docker2nix`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "With one argument the manifest is fetched and becomes part of the \
    expression.\nWith IMAGE and TAG apart, as the classic program took them, a manifest on standard \
    input\n(or from --manifest) is used, and no network is touched."
)]
pub(crate) struct Docker2nixArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) platform: PlatformArgs,

    /// Read the manifest from a file instead of fetching it; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest: Option<PathBuf>,

    /// The name of the derivation [default: the image's]
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
#[command(after_help = "Exit codes: 0 allowed, 4 denied, 6 unavailable; no content is fetched.")]
pub(crate) struct LoginCheckArgs {
    /// The image, or a registry alone: ghcr.io, localhost:5000
    #[arg(value_name = "IMAGE_OR_REGISTRY", required_unless_present = "registry")]
    pub(crate) target: Option<String>,

    /// The registry's URL; the image is then taken as the repository's full name
    #[arg(long, value_name = "URL", value_parser = Unquoted(str::parse::<Endpoint>))]
    pub(crate) registry: Option<Endpoint>,

    #[command(flatten)]
    pub(crate) credentials: CredentialArgs,
}

/// How large layers may become.
#[derive(Debug, clap::Args)]
pub(crate) struct LimitArgs {
    /// Refuse layers that expand to more [default: the greater of 1 GiB and 200 times the layer's size]
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_layer_size: Option<Limit>,
}

/// `hocker composite`
#[derive(Debug, clap::Args)]
pub(crate) struct CompositeArgs {
    /// The script
    #[arg(value_name = "FILE")]
    pub(crate) script: PathBuf,
}

/// `hocker completions`
#[derive(Debug, clap::Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    pub(crate) shell: clap_complete::Shell,

    /// The name that is completed: the program's own, or a classic one
    #[arg(value_name = "PROGRAM", default_value = "hocker", value_parser = program())]
    pub(crate) program: &'static str,
}

/// Reads one of the program's names.
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
    /// Where to write the pages; what is there is replaced
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
