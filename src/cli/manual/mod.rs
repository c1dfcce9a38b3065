//! What users read and shells know about the program: help texts, manual pages and completions, all made from the
//! definition of the arguments, so that no list of commands is kept by hand.

pub(super) mod completions;
mod examples;
pub(super) mod pages;
mod surroundings;

use clap::{Command, CommandFactory as _, FromArgMatches as _};

use super::args::Args;

/// The exit codes, as [`super::Exit`] has them, in few words and in more.
const EXIT_CODES: [(&str, &str, &str); 8] = [
    (
        "0",
        "done",
        "all was done, or the reader of the output closed it",
    ),
    ("1", "other", "none of the below"),
    ("2", "usage", "the command line makes no sense"),
    (
        "3",
        "not found",
        "there is no such image, tag, layer or platform",
    ),
    (
        "4",
        "denied",
        "there is no access with these credentials, or without any",
    ),
    ("5", "integrity", "a size or a digest was wrong"),
    (
        "6",
        "unavailable",
        "there was no usable answer, after all retries",
    ),
    ("7", "unsupported", "this program does not handle it"),
];

/// Where more is said.
const MORE: &str = "The manual pages, which `hocker man DIRECTORY` writes, say which environment variables and \
                    files count.";

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
    let codes = EXIT_CODES.map(|(code, meaning, _)| format!("{code} {meaning}"));
    command
        .after_help(format!("Exit codes: {}.\n\n{MORE}", codes.join(", ")))
        .mut_subcommands(|command| {
            let path = command.get_name().to_owned();
            with_own_examples(command, &path)
        })
}

/// A command with the examples of itself and of its subcommands.
fn with_own_examples(command: Command, path: &str) -> Command {
    let command = command.mut_subcommands(|subcommand| {
        let path = format!("{path} {}", subcommand.get_name());
        with_own_examples(subcommand, &path)
    });
    let Some(examples) = examples::of(path) else {
        return command;
    };
    let notes = command.get_after_help().map(ToString::to_string);
    let text = notes.into_iter().chain([examples::text(examples)]);
    let text = text.collect::<Vec<_>>().join("\n\n");
    command.after_help(text)
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
