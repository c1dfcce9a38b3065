//! The commands that packages and other programs start.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::cli::classic;

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
