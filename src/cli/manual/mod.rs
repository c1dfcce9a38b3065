//! What users read and shells know about the program: help texts, manual pages and completions, all made from the
//! definition of the arguments, so that no list of commands is kept by hand.

pub(super) mod completions;
mod examples;
pub(super) mod pages;

use clap::{Command, CommandFactory as _, FromArgMatches as _};

use super::args::Args;

/// The exit codes, as [`super::Exit`] has them.
const EXIT_CODES: [(&str, &str); 8] = [
    ("0", "done"),
    ("1", "other"),
    ("2", "usage"),
    ("3", "not found"),
    ("4", "denied"),
    ("5", "integrity"),
    ("6", "unavailable"),
    ("7", "unsupported"),
];

/// Reads a command line.
pub(super) fn parse(
    line: impl IntoIterator<Item = impl Into<std::ffi::OsString> + Clone>,
) -> Result<Args, clap::Error> {
    let mut command = with_examples(Args::command());
    let mut matches = command.try_get_matches_from_mut(line)?;
    Args::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

/// The definition with exit codes, and with examples after each command's help.
fn with_examples(command: Command) -> Command {
    let codes = EXIT_CODES.map(|(code, meaning)| format!("{code} {meaning}"));
    command
        .after_help(format!("Exit codes: {}.", codes.join(", ")))
        .mut_subcommands(|command| {
            let Some(examples) = examples::of(command.get_name()) else {
                return command;
            };
            let notes = command.get_after_help().map(ToString::to_string);
            let text = notes.into_iter().chain([examples::text(examples)]);
            let text = text.collect::<Vec<_>>().join("\n\n");
            command.after_help(text)
        })
}

/// The definition without what is not for people to type: hidden commands.
fn visible(command: &Command) -> Command {
    let mut visible = Command::new("hocker")
        .version(env!("CARGO_PKG_VERSION"))
        .propagate_version(true)
        .disable_help_subcommand(true)
        .args(command.get_arguments().cloned())
        .subcommands(
            command
                .get_subcommands()
                .filter(|command| !command.is_hide_set())
                .cloned(),
        );
    if let Some(about) = command.get_about() {
        visible = visible.about(about.clone());
    }
    visible
}
