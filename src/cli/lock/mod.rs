//! `hocker lock`, with one file for each subcommand. [`file`] reads and writes the lock file, [`registries`] connects to
//! the registries of its images, [`each`] works on many images at a time, [`addition`] and [`pinning`] name and pin new
//! ones, [`signing`] finds and verifies signatures, [`changes`] prints what changed, and [`waits`] what waits.

mod abbreviated;
mod add;
mod addition;
mod available;
mod changes;
mod check;
mod compose;
mod diff;
mod each;
mod error;
mod file;
mod git;
mod graph;
mod list;
mod named_image;
mod pinning;
mod pins;
mod proof_files;
mod registries;
mod remove;
mod report;
mod set;
mod signing;
mod table;
mod update;
mod verify;
mod waits;

pub(super) use self::addition::parse as parse_image;
pub(super) use self::error::LockError;
pub(super) use self::file::LockFile;
pub(super) use self::registries::Registries;

use super::args::lock::{LockArgs, LockCommand};
use super::{Context, Error};

pub(super) async fn run(args: LockArgs, context: &Context) -> Result<(), Error> {
    let path = &args.lock_file;
    match args.command {
        LockCommand::Add(args) => add::run(*args, path, context).await,
        LockCommand::Remove(args) => remove::run(&args, path),
        LockCommand::Update(args) => update::run(*args, path, context).await,
        LockCommand::Set(args) => set::run(&args, path),
        LockCommand::Verify(args) => verify::run(&args, path),
        LockCommand::Check(args) => check::run(args, path, context).await,
        LockCommand::Diff(args) => Box::pin(diff::run(args, path, context)).await,
        LockCommand::List(args) => list::run(&args, path),
        LockCommand::Graph(args) => graph::run(&args, path),
        LockCommand::Report(args) => report::run(&args, path),
        LockCommand::Compose(args) => compose::run(args, path, context).await,
    }
}
