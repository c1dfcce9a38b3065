//! Help texts, manual pages and completions. All are generated from the definition of the arguments, so no list of
//! commands is kept by hand.

pub(super) mod completions;
mod examples;
pub(super) mod pages;
mod sections;

use clap::{Command, CommandFactory as _, FromArgMatches as _};

use super::args::Args;

/// The exit codes of [`super::Exit`]: each with its name, for `--help`, and its meaning, for manual pages.
const EXIT_CODES: [(&str, &str, &str); 8] = [
    (
        "0",
        "done",
        "the command succeeded, or the reader of its output closed the pipe",
    ),
    ("1", "other", "any other failure"),
    ("2", "usage", "the command line is wrong"),
    (
        "3",
        "not found",
        "the image, tag, layer or platform does not exist",
    ),
    ("4", "denied", "the registry or the daemon denies access"),
    ("5", "integrity", "a size or a digest is wrong"),
    (
        "6",
        "unavailable",
        "the registry or the daemon gives no usable response, after all retries",
    ),
    (
        "7",
        "unsupported",
        "hocker cannot use this kind of document or content",
    ),
];

/// A pointer to the manual pages.
const MORE: &str = "`hocker man DIRECTORY` writes the manual pages, which list the environment variables and files \
                    that hocker reads.";

/// Parses a command line.
pub(super) fn parse(
    line: impl IntoIterator<Item = impl Into<std::ffi::OsString> + Clone>,
) -> Result<Args, clap::Error> {
    let mut command = with_examples(Args::command());
    let mut matches = command.try_get_matches_from_mut(line)?;
    Args::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

/// The definition, with the exit codes after the program's help and examples after each command's help.
fn with_examples(command: Command) -> Command {
    let codes = EXIT_CODES.map(|(code, meaning, _)| format!("{code} {meaning}"));
    command
        .after_help(format!("Exit codes: {}.\n\n{MORE}", codes.join(", ")))
        .mut_subcommands(|command| {
            let path = command.get_name().to_owned();
            with_own_examples(command, &path)
        })
}

/// A command with its examples, and with those of its subcommands.
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

/// The definition without the hidden commands, which users do not type.
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
