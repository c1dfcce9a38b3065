//! The command line: the only part of the program that reads arguments and the environment, writes to standard output
//! and standard error, and decides on the exit code.
//!
//! [`args`] defines the arguments and `manual` documents them. Each command has one file. `error` maps the errors of all
//! modules to exit codes and hints, and `report` prints them.

mod access_log;
pub(crate) mod args;
mod builder;
mod classic;
mod composite;
mod config;
#[cfg(feature = "containerd")]
mod containerd;
mod credentials;
mod daemon;
mod diff;
mod docker2nix;
pub(crate) mod environment;
mod erofs;
mod error;
mod exit;
mod failed_sources;
mod image;
mod layer;
mod load;
mod lock;
mod login_check;
mod manifest;
mod manual;
#[cfg(target_os = "linux")]
mod mount;
mod progress;
mod prune;
mod redacted;
mod report;
mod serve;
mod source;
mod stderr;
mod stdout;
mod transport;

use self::error::Error;
use self::exit::Exit;

use std::process::ExitCode;
use std::time::Duration;

use self::args::{Args, Command, TransportArgs};
use self::environment::Environment;
use self::failed_sources::FailedSources;
use self::progress::ProgressDisplay;

/// The values that all commands share.
#[derive(Clone, Debug)]
struct Context {
    transport: TransportArgs,
    display: ProgressDisplay,
    verbose: bool,
    environment: Environment,
    /// Sources of credentials that failed.
    failed_sources: FailedSources,
}

/// The time that interrupted work has to remove its incomplete files.
const GRACE: Duration = Duration::from_millis(500);

/// Runs the program with the arguments of the process.
#[must_use]
pub(crate) fn main() -> ExitCode {
    let args = match manual::parse(classic::rewrite(std::env::args_os())) {
        Ok(args) => args,
        Err(error) => return report::usage(error),
    };
    match run(args) {
        Ok(()) => Exit::Done.into(),
        Err(error) => report::error(&error).into(),
    }
}

fn run(args: Args) -> Result<(), Error> {
    let Args {
        command,
        transport,
        quiet,
        verbose,
    } = args;
    let context = Context {
        transport,
        display: ProgressDisplay::new(quiet, matches!(command, Command::Builder)),
        verbose,
        environment: Environment::of_process(),
        failed_sources: FailedSources::default(),
    };
    let failed_sources = context.failed_sources.clone();
    // At most four large layers are in transfer at a time, and each keeps one thread busy with hashing and decompression.
    // One thread alone is too few: hocker must receive signals while it waits for standard input or a full pipe.
    // A server copies for many clients at once, so it uses more cores.
    let (least, most) = match command {
        Command::Serve(_) => (4, 16),
        _ => (2, 4),
    };
    let threads =
        std::thread::available_parallelism().map_or(least, |cores| cores.get().clamp(least, most));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .map_err(Error::Runtime)?;
    let result = runtime.block_on(async {
        if let Command::Serve(args) = command {
            return serve::run(args, quiet, interrupted(), interrupted).await;
        }
        let interrupted = interrupted();
        let mut work = tokio::spawn(dispatch(command, context));
        tokio::select! {
            biased;
            signal = interrupted => {
                // This drops all work, and with it removes every incomplete file. Work that waits for standard input
                // or a full pipe cannot be dropped, but has no such file. Unpacked archives are removed below.
                work.abort();
                let _ = tokio::time::timeout(GRACE, work).await;
                Err(signal)
            }
            result = &mut work => result.map_err(Error::Task)?,
        }
    });
    runtime.shutdown_background();
    hocker::archive::on_disk::remove_unpacked();
    result.map_err(|error| error.after(&failed_sources.lines()))
}

async fn dispatch(command: Command, context: Context) -> Result<(), Error> {
    match command {
        Command::Manifest(args) => manifest::run(args, &context).await,
        Command::Config(args) => config::run(args, &context).await,
        Command::Layer(args) => layer::run(args, &context).await,
        Command::Image(args) => Box::pin(image::run(args, &context)).await,
        Command::Docker2nix(args) => docker2nix::run(args, &context).await,
        Command::LoginCheck(args) => login_check::run(args, &context).await,
        Command::Lock(args) => lock::run(args, &context).await,
        Command::Diff(args) => Box::pin(diff::run(args, &context)).await,
        // `run` handles this command itself, because a signal ends it in the ordinary way.
        Command::Serve(args) => serve::run(args, false, interrupted(), interrupted).await,
        Command::Load(args) => load::run(args, &context).await,
        Command::Prune(args) => prune::run(args, &context).await,
        Command::Erofs(args) => erofs::run(args).await,
        #[cfg(target_os = "linux")]
        Command::Mount(args) => mount::run(args, &context).await,
        #[cfg(target_os = "linux")]
        Command::Umount(args) => mount::unmount(&args),
        Command::Builder => builder::run(&context).await,
        Command::Composite(args) => composite::run(&args),
        Command::Completions(args) => manual::completions::run(&args),
        Command::Man(args) => manual::pages::run(&args),
    }
}

/// Returns a future that waits for SIGINT, SIGTERM or SIGHUP. The handlers are installed at once, not when the future is
/// first polled.
fn interrupted() -> impl Future<Output = Error> {
    use tokio::signal::unix::{SignalKind, signal};
    let kinds = [
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::hangup(),
    ];
    let signals = kinds.map(|kind| (kind, signal(kind)));
    async move {
        // If a handler cannot be installed, the signal keeps its default, which ends the process.
        let [first, second, third] = signals.map(|(kind, signal)| async move {
            match signal {
                Ok(mut signal) => signal.recv().await,
                Err(_) => std::future::pending().await,
            };
            Error::Interrupted(kind.as_raw_value())
        });
        tokio::select! {
            error = first => error,
            error = second => error,
            error = third => error,
        }
    }
}
