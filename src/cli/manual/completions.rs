//! `hocker completions`: completion scripts for shells.

use clap::{Command, CommandFactory as _};

use super::super::args::{Args, CompletionsArgs};
use super::super::{Error, classic, stdout};

/// Prints the script.
pub(in crate::cli) fn run(args: &CompletionsArgs) -> Result<(), Error> {
    let mut script = Vec::new();
    let mut command = of_program(args.program);
    clap_complete::generate(args.shell, &mut command, args.program, &mut script);
    stdout::write(&script)
}

/// Returns the definition for a program of this name. A classic name has the arguments of its subcommand.
fn of_program(name: &'static str) -> Command {
    let mut whole = super::visible(&Args::command());
    let Some(subcommand) = classic::subcommand(name.as_ref()) else {
        return whole;
    };
    // This gives the subcommand the global options.
    whole.build();
    match whole.find_subcommand(subcommand) {
        Some(command) => command.clone().name(name),
        None => whole,
    }
}
