//! The definition of the command line. Its doc comments are the texts of `--help`.

mod credentials;
mod diff;
mod erofs;
mod fetch;
mod hidden;
mod image;
pub(crate) mod lock;
#[cfg(target_os = "linux")]
mod mount;
mod mount_points;
mod on_disk;
mod output;
mod source;
mod transport;
pub(crate) mod values;

pub(crate) use self::credentials::CredentialArgs;
pub(crate) use self::diff::{DiffArgs, DiffFormat, LockDiffArgs, ShownArgs};
pub(crate) use self::erofs::ErofsArgs;
pub(crate) use self::fetch::{ConfigArgs, Docker2nixArgs, LayerArgs, LoginCheckArgs, ManifestArgs};
pub(crate) use self::hidden::{CompletionsArgs, CompositeArgs, ManArgs};
pub(crate) use self::image::{Format, ImageArgs};
#[cfg(target_os = "linux")]
pub(crate) use self::mount::{MountArgs, UmountArgs};
pub(crate) use self::mount_points::MountPointArgs;
pub(crate) use self::on_disk::{DaemonArgs, LoadArgs, PruneArgs, ServeArgs};
pub(crate) use self::output::{LimitArgs, OptionalOutputArgs, OutputArgs};
pub(crate) use self::source::{PlatformArgs, SourceArgs};
pub(crate) use self::transport::TransportArgs;

use clap::{Parser, Subcommand};

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

    /// Print the sources of credentials and of certificate authorities, and the steps of a load
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,

    #[command(flatten)]
    pub(crate) transport: TransportArgs,
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
