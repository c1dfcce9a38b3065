//! `hocker man`: a manual page for the program and one for each command.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use roff::{Roff, bold, roman};

use super::super::Error;
use super::super::args::{Args, ManArgs};
use super::sections::{self, Entry, Topic};
use super::{EXIT_CODES, examples, visible};
use hocker::output::{self, Existing, OutputFile};

/// Writes all pages into a directory.
pub(in crate::cli) fn run(args: &ManArgs) -> Result<(), Error> {
    let directory = &args.directory;
    fs::create_dir_all(directory).map_err(|source| {
        // `--force` would not help, and this command has none.
        let source = match source.kind() {
            io::ErrorKind::AlreadyExists => io::ErrorKind::NotADirectory.into(),
            _ => source,
        };
        output::Error::create(directory, source)
    })?;
    let mut whole = visible(&Args::command());
    whole.build();
    let pages = Pages {
        whole: &whole,
        directory,
    };
    pages.write(&whole, None)
}

/// A writer of manual pages.
struct Pages<'a> {
    whole: &'a Command,
    directory: &'a Path,
}

impl Pages<'_> {
    /// Writes the page of a command and the pages of its subcommands.
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
        // The page has no date, so that the same program writes the same page. clap_mangen leaves out an empty date,
        // and then man shows the version in its place.
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
        self.entries_section("ENVIRONMENT", sections::VARIABLES, command)
            .to_writer(page)?;
        self.entries_section("FILES", sections::FILES, command)
            .to_writer(page)?;
        let path = name.split_once('-').map_or(name.as_str(), |(_, rest)| rest);
        // The name on the command line. Only `lock` has subcommands; `login-check` is one word.
        let typed = path.replacen("lock-", "lock ", 1);
        if let Some(examples) = examples::of(&typed) {
            examples_section(examples).to_writer(page)?;
        }
        see_also_section(command, parent).to_writer(page)
    }

    /// A section of variables or files. The page of a command lists those that the command reads; the page of a program
    /// with subcommands groups them by topic.
    fn entries_section(&self, title: &str, entries: &[Entry], command: &Command) -> Roff {
        let mut roff = Roff::new();
        let topics = topics(command);
        if topics.is_empty() {
            return roff;
        }
        roff.control("SH", [title]);
        if !command.has_subcommands() {
            let own = |entry: &&Entry| topics.iter().any(|topic| entry.is_about(*topic));
            list(entries.iter().filter(own), &mut roff);
            return roff;
        }
        let mut is_first = true;
        for topic in topics {
            let own: Vec<&Entry> = entries
                .iter()
                .filter(|entry| entry.is_about(topic))
                .collect();
            if own.is_empty() {
                continue;
            }
            let commands = commands_about(topic, self.whole).join(", ");
            if !std::mem::take(&mut is_first) {
                roff.control("PP", []);
            }
            roff.text([roman(format!(
                "For commands that {} ({commands}):",
                topic.verb()
            ))]);
            list(own.into_iter(), &mut roff);
        }
        roff
    }
}

/// Returns the name of a command's page.
fn name_of(command: &Command) -> String {
    command
        .get_display_name()
        .unwrap_or_else(|| command.get_name())
        .to_owned()
}

/// Returns the topics of a command and its subcommands.
fn topics(command: &Command) -> Vec<Topic> {
    let mut topics = Topic::ALL.to_vec();
    topics.retain(|topic| !commands_about(*topic, command).is_empty());
    topics
}

/// Returns the names of the commands that a topic concerns, as they are on the command line.
fn commands_about(topic: Topic, command: &Command) -> Vec<String> {
    if topic.is_of(command) {
        let name = name_of(command);
        let typed = name.strip_prefix("hocker-").unwrap_or(&name);
        return vec![typed.replacen("lock-", "lock ", 1)];
    }
    command
        .get_subcommands()
        .flat_map(|subcommand| commands_about(topic, subcommand))
        .collect()
}

fn list<'a>(entries: impl Iterator<Item = &'a Entry>, roff: &mut Roff) {
    for entry in entries {
        roff.control("TP", []);
        let mut names = Vec::new();
        for (number, name) in entry.names.iter().enumerate() {
            if number > 0 {
                names.push(roman(", "));
            }
            names.push(bold(*name));
        }
        roff.text(names);
        roff.text([roman(entry.text)]);
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
    for topic in topics(command) {
        let others = sections::others(topic).iter();
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
