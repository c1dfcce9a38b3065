//! A README as a manual that is followed to the letter: the blocks of a section, in their order, as one script.
//!
//! A block that begins with `# PATH` is a file. In a `console` block, `$` and `>` begin commands and their further
//! lines; what else is there is shown by the commands. Nothing is replaced.

/// A README.
#[derive(Clone, Copy)]
pub(crate) enum Manual {
    /// The project's own.
    Project,
    /// That of the Nix functions.
    Nix,
}

/// The part of a README from a heading to the next one of any level.
pub(crate) struct Section {
    blocks: Vec<Block>,
}

/// A fenced block.
struct Block {
    language: String,
    lines: Vec<String>,
}

impl Manual {
    fn text(self) -> &'static str {
        match self {
            Self::Project => include_str!("../../README.md"),
            Self::Nix => include_str!("../../nix/README.md"),
        }
    }

    /// The section with this title, which must be there once.
    #[track_caller]
    pub(crate) fn section(self, title: &str) -> Section {
        let mut found = parse(self.text())
            .into_iter()
            .filter(|(heading, _)| title_of(heading) == title)
            .map(|(_, blocks)| Section { blocks });
        let section = found.next();
        assert!(found.next().is_none(), "two sections are called {title:?}");
        section.unwrap_or_else(|| panic!("there is no section {title:?}"))
    }

    /// All that stands under a heading, up to the next one.
    #[track_caller]
    pub(crate) fn prose(self, title: &str) -> &'static str {
        let parts = self.text().split("\n#");
        let mut found = parts.filter_map(|part| {
            let (heading, text) = part.split_once('\n')?;
            (title_of(heading) == title).then_some(text)
        });
        found
            .next()
            .unwrap_or_else(|| panic!("there is no section {title:?}"))
    }

    /// The titles of the sections that have commands.
    pub(crate) fn sections_with_commands(self) -> Vec<String> {
        parse(self.text())
            .into_iter()
            .filter(|(_, blocks)| blocks.iter().any(|block| block.language == "console"))
            .map(|(heading, _)| title_of(&heading).to_owned())
            .collect()
    }

    /// How many blocks of commands begin with these words.
    pub(crate) fn blocks_beginning_with(self, words: &str) -> usize {
        let sections = parse(self.text());
        let blocks = sections.iter().flat_map(|(_, blocks)| blocks);
        blocks
            .filter_map(Block::first_command)
            .filter(|command| command.starts_with(words))
            .count()
    }
}

fn title_of(heading: &str) -> &str {
    heading.trim_start_matches('#').trim()
}

/// Each heading with its blocks.
fn parse(text: &str) -> Vec<(String, Vec<Block>)> {
    let mut sections: Vec<(String, Vec<Block>)> = vec![(String::new(), Vec::new())];
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let lines = lines.by_ref().take_while(|line| *line != "```");
            let block = Block {
                language: language.to_owned(),
                lines: lines.map(str::to_owned).collect(),
            };
            sections.last_mut().unwrap().1.push(block);
        } else if line.starts_with('#') {
            sections.push((line.to_owned(), Vec::new()));
        }
    }
    sections
}

impl Section {
    /// The section with only those blocks of commands of whose first command this holds.
    pub(crate) fn of_blocks(mut self, holds: impl Fn(&str) -> bool) -> Self {
        self.blocks
            .retain(|block| block.first_command().is_none_or(&holds));
        self
    }

    /// The script that writes its files and gives its commands, for bash.
    pub(crate) fn script(&self) -> String {
        let lines: Vec<String> = self.blocks.iter().flat_map(Block::script).collect();
        assert!(!lines.is_empty(), "there is nothing to run");
        lines.join("\n")
    }

    /// The lines that its commands show.
    pub(crate) fn shown(&self) -> Vec<&str> {
        self.blocks
            .iter()
            .filter(|block| block.language == "console")
            .flat_map(|block| &block.lines)
            .map(String::as_str)
            .filter(|line| !line.starts_with("$ ") && !line.starts_with("> "))
            .collect()
    }

    /// The lines of one of its files, after the one that names it.
    #[track_caller]
    pub(crate) fn file(&self, path: &str) -> Vec<&str> {
        let block = self.blocks.iter().find(|block| block.path() == Some(path));
        let block = block.unwrap_or_else(|| panic!("the section has no file {path}"));
        block.lines.iter().skip(1).map(String::as_str).collect()
    }
}

impl Block {
    fn script(&self) -> Vec<String> {
        if self.language == "console" {
            return self
                .lines
                .iter()
                .filter_map(|line| line.strip_prefix("$ ").or_else(|| line.strip_prefix("> ")))
                .map(str::to_owned)
                .collect();
        }
        self.path()
            .map(|path| {
                let text = self.lines.join("\n");
                format!("mkdir -p \"$(dirname {path})\"\ncat >{path} <<'END OF FILE'\n{text}\nEND OF FILE")
            })
            .into_iter()
            .collect()
    }

    fn first_command(&self) -> Option<&str> {
        let is_console = self.language == "console";
        is_console
            .then(|| self.lines.first()?.strip_prefix("$ "))
            .flatten()
    }

    fn path(&self) -> Option<&str> {
        self.lines.first()?.strip_prefix("# ")
    }
}
