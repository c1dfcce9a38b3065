//! `hocker man`: a manual page for the program and one for each command.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use roff::{Roff, bold, roman};

use super::super::Error;
use super::super::args::{Args, ManArgs};
use super::{EXIT_CODES, examples, visible};
use crate::output::{self, Existing, OutputFile};

/// Writes the pages.
pub(in crate::cli) fn run(args: &ManArgs) -> Result<(), Error> {
    let directory = &args.directory;
    fs::create_dir_all(directory).map_err(|source| output::Error::create(directory, source))?;
    let mut whole = visible(&Args::command());
    whole.build();
    write(&whole, None, directory)
}

/// Writes the page of a command and those of its subcommands.
fn write(command: &Command, parent: Option<&str>, directory: &Path) -> Result<(), Error> {
    let man = Man::new(command.clone());
    let name = command
        .get_display_name()
        .unwrap_or_else(|| command.get_name())
        .to_owned();
    let path = directory.join(man.get_filename());
    let mut page = Vec::new();
    render(&man, command, &name, parent, &mut page)
        .map_err(|source| output::Error::write(&path, source))?;
    let mut file = OutputFile::create(&path, Existing::Replace)?;
    file.write_all(&page)
        .map_err(|source| output::Error::write(&path, source))?;
    file.commit()?;
    for subcommand in command.get_subcommands() {
        write(subcommand, Some(&name), directory)?;
    }
    Ok(())
}

fn render(
    man: &Man,
    command: &Command,
    name: &str,
    parent: Option<&str>,
    page: &mut Vec<u8>,
) -> io::Result<()> {
    // Without a date, so that the same program writes the same page. (clap_mangen would then leave out the argument,
    // and the version would stand in its place.)
    let version = env!("CARGO_PKG_VERSION");
    writeln!(page, ".TH {name} 1 \"\" \"hocker {version}\" \"\"")?;
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    if let Some(notes) = command.get_after_help() {
        paragraphs(&notes.to_string()).to_writer(page)?;
    }
    man.render_options_section(page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(page)?;
    }
    if let Some(examples) = examples::of(command.get_name()) {
        examples_section(examples).to_writer(page)?;
    }
    exit_status_section().to_writer(page)?;
    if let Some(parent) = parent {
        let mut roff = Roff::new();
        roff.control("SH", ["SEE ALSO"])
            .text([bold(parent), roman("(1)")]);
        roff.to_writer(page)?;
    }
    Ok(())
}

fn paragraphs(text: &str) -> Roff {
    let mut roff = Roff::new();
    for paragraph in text.split("\n\n") {
        roff.control("PP", []);
        roff.text([roman(paragraph.replace('\n', " "))]);
    }
    roff
}

fn examples_section(examples: &[examples::Example]) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["EXAMPLES"]);
    for (index, (what, line)) in examples.iter().enumerate() {
        if index > 0 {
            roff.control("PP", []);
        }
        roff.text([roman(format!("{what}:"))]);
        roff.control("PP", []);
        roff.control("RS", ["4"]);
        roff.control("nf", []);
        roff.text([bold(*line)]);
        roff.control("fi", []);
        roff.control("RE", []);
    }
    roff
}

fn exit_status_section() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in EXIT_CODES {
        roff.control("TP", ["4"]);
        roff.text([bold(code)]);
        roff.text([roman(meaning)]);
    }
    roff
}
