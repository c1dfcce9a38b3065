//! The command line: the only part of the program that reads arguments and environment, writes to standard
//! output and error, and decides on an exit code.
//!
//! [`args`] says what can be asked for and `manual` tells it to people, one file per command does it, `error` turns
//! every module's errors into an exit code and a hint, and `report` prints them.

mod access_log;
pub(crate) mod args;
mod builder;
mod classic;
mod composite;
mod config;
mod credentials;
mod daemon;
mod docker2nix;
pub(crate) mod environment;
mod error;
mod exit;
mod image;
mod layer;
mod load;
mod lock;
mod login_check;
mod manifest;
mod manual;
mod progress;
mod prune;
mod report;
mod serve;
mod source;
mod stderr;
mod stdout;
mod transport;
mod unanswered;
mod unquoted;

use self::error::Error;
use self::exit::Exit;

use std::process::ExitCode;
use std::time::Duration;

use self::args::{Args, Command, TransportArgs};
use self::progress::Display;
use self::unanswered::Unanswered;

/// What all commands share.
#[derive(Clone, Debug)]
struct Context {
    transport: TransportArgs,
    display: Display,
    verbose: bool,
    /// Where credentials may be and nothing answered.
    unanswered: Unanswered,
}

/// How long work that was interrupted may take to let go of what it holds.
const GRACE: Duration = Duration::from_millis(500);

/// Runs the program as the process's arguments say.
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
        display: Display::new(quiet, matches!(command, Command::Builder)),
        verbose,
        unanswered: Unanswered::default(),
    };
    let unanswered = context.unanswered.clone();
    // Hashing and decompressing keep a core busy each; more threads than layers at a time help nobody. And
    // never one alone: signals must be heard while it waits for standard input or a full pipe.
    // Serving is copying for as many clients as there are, which is for every core.
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
                // Whatever is under way is dropped, and with it every file that is not complete. What
                // waits for standard input or a full pipe cannot be dropped, and holds no such file.
                work.abort();
                let _ = tokio::time::timeout(GRACE, work).await;
                Err(signal)
            }
            result = &mut work => result.map_err(Error::Task)?,
        }
    });
    runtime.shutdown_background();
    result.map_err(|error| error.after(&unanswered.lines()))
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
        // Ends in its own way; see `run`.
        Command::Serve(args) => serve::run(args, false, interrupted(), interrupted).await,
        Command::Load(args) => load::run(args, &context).await,
        Command::Prune(args) => prune::run(args, &context).await,
        Command::Builder => builder::run(&context).await,
        Command::Composite(args) => composite::run(&args),
        Command::Completions(args) => manual::completions::run(&args),
        Command::Man(args) => manual::pages::run(&args),
    }
}

/// Waits for Ctrl-C or a request to end. Listening begins at once, not when the future is first polled.
fn interrupted() -> impl Future<Output = Error> {
    use tokio::signal::unix::{SignalKind, signal};
    let kinds = [
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::hangup(),
    ];
    let signals = kinds.map(|kind| (kind, signal(kind)));
    async move {
        // Without a handler a signal keeps its default: it ends the process.
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
