//! `hocker man`: a manual page for the program and one for each command.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use roff::{Roff, bold, roman};

use super::super::Error;
use super::super::args::{Args, ManArgs};
use super::surroundings::{self, Concern, Thing};
use super::{EXIT_CODES, examples, visible};
use hocker::output::{self, Existing, OutputFile};

/// Writes the pages.
pub(in crate::cli) fn run(args: &ManArgs) -> Result<(), Error> {
    let directory = &args.directory;
    fs::create_dir_all(directory).map_err(|source| output::Error::create(directory, source))?;
    let mut whole = visible(&Args::command());
    whole.build();
    let pages = Pages {
        whole: &whole,
        directory,
    };
    pages.write(&whole, None)
}

/// The pages of a program, for a directory.
struct Pages<'a> {
    whole: &'a Command,
    directory: &'a Path,
}

impl Pages<'_> {
    /// Writes the page of a command and those of its subcommands.
    fn write(&self, command: &Command, parent: Option<&str>) -> Result<(), Error> {
        let man = Man::new(command.clone());
        let name = name_of(command);
        let path = self.directory.join(man.get_filename());
        let mut page = Vec::new();
        self.render(&man, command, parent, &mut page)
            .map_err(|source| output::Error::write(&path, source))?;
        let mut file = OutputFile::create(&path, Existing::Replace)?;
        file.write_all(&page)
            .map_err(|source| output::Error::write(&path, source))?;
        file.commit()?;
        for subcommand in command.get_subcommands() {
            self.write(subcommand, Some(&name))?;
        }
        Ok(())
    }

    fn render(
        &self,
        man: &Man,
        command: &Command,
        parent: Option<&str>,
        page: &mut Vec<u8>,
    ) -> io::Result<()> {
        // Without a date, so that the same program writes the same page. (clap_mangen would then leave out the
        // argument, and the version would stand in its place.)
        let (name, version) = (name_of(command), env!("CARGO_PKG_VERSION"));
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
        exit_status_section().to_writer(page)?;
        self.things_section("ENVIRONMENT", surroundings::VARIABLES, command)
            .to_writer(page)?;
        self.things_section("FILES", surroundings::FILES, command)
            .to_writer(page)?;
        let path = name.split_once('-').map_or(name.as_str(), |(_, rest)| rest);
        // As one types it; `login-check` is one word.
        let typed = path.replacen("lock-", "lock ", 1);
        if let Some(examples) = examples::of(&typed) {
            examples_section(examples).to_writer(page)?;
        }
        see_also_section(command, parent).to_writer(page)
    }

    /// Variables or files that count, for the program as a whole by who heeds them.
    fn things_section(&self, title: &str, things: &[Thing], command: &Command) -> Roff {
        let mut roff = Roff::new();
        let concerns = concerns(command);
        if concerns.is_empty() {
            return roff;
        }
        roff.control("SH", [title]);
        if !command.has_subcommands() {
            let heeded = |thing: &&Thing| concerns.iter().any(|own| thing.concerns(*own));
            list(things.iter().filter(heeded), &mut roff);
            return roff;
        }
        let mut is_first = true;
        for concern in concerns {
            let heeded: Vec<&Thing> = things
                .iter()
                .filter(|thing| thing.concerns(concern))
                .collect();
            if heeded.is_empty() {
                continue;
            }
            let who = who(concern, self.whole).join(", ");
            if !std::mem::take(&mut is_first) {
                roff.control("PP", []);
            }
            roff.text([roman(format!(
                "For commands that {} ({who}):",
                concern.verb()
            ))]);
            list(heeded.into_iter(), &mut roff);
        }
        roff
    }
}

/// How the page of a command is called.
fn name_of(command: &Command) -> String {
    command
        .get_display_name()
        .unwrap_or_else(|| command.get_name())
        .to_owned()
}

/// What a command or its subcommands deal with.
fn concerns(command: &Command) -> Vec<Concern> {
    let mut concerns = Concern::ALL.to_vec();
    concerns.retain(|concern| !who(*concern, command).is_empty());
    concerns
}

/// The commands of a kind, as one types them.
fn who(concern: Concern, command: &Command) -> Vec<String> {
    if concern.is_of(command) {
        let name = name_of(command);
        let typed = name.strip_prefix("hocker-").unwrap_or(&name);
        return vec![typed.replacen("lock-", "lock ", 1)];
    }
    command
        .get_subcommands()
        .flat_map(|subcommand| who(concern, subcommand))
        .collect()
}

fn list<'a>(things: impl Iterator<Item = &'a Thing>, roff: &mut Roff) {
    for thing in things {
        roff.control("TP", []);
        let mut names = Vec::new();
        for (number, name) in thing.names.iter().enumerate() {
            if number > 0 {
                names.push(roman(", "));
            }
            names.push(bold(*name));
        }
        roff.text(names);
        roff.text([roman(thing.text)]);
    }
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
    for (code, meaning, more) in EXIT_CODES {
        roff.control("TP", ["4"]);
        roff.text([bold(code)]);
        roff.text([roman(format!("{meaning}: {more}"))]);
    }
    roff
}

fn see_also_section(command: &Command, parent: Option<&str>) -> Roff {
    let own = command
        .get_subcommands()
        .map(|subcommand| (name_of(subcommand), "1"));
    let mut pages: Vec<(String, &str)> = parent
        .map(|parent| (parent.to_owned(), "1"))
        .into_iter()
        .chain(own)
        .collect();
    for concern in concerns(command) {
        let others = surroundings::others(concern).iter();
        pages.extend(others.map(|(name, section)| ((*name).to_owned(), *section)));
    }
    let mut roff = Roff::new();
    roff.control("SH", ["SEE ALSO"]);
    let mut text = Vec::new();
    for (number, (name, section)) in pages.into_iter().enumerate() {
        let before = if number > 0 { ", " } else { "" };
        text.extend([roman(before), bold(name), roman(format!("({section})"))]);
    }
    roff.text(text);
    roff
}
