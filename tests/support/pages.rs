//! The project's pages (`README.md`, `docs/`) as manuals that tests follow to the letter: the blocks of a section, in
//! their order, as one script.
//!
//! A block that begins with `# PATH` is a file. In a `console` block, `$` and `>` begin commands and their further
//! lines; the other lines are output. Nothing is replaced.

use std::fs;
use std::path::Path;

use super::files::files_with_extension;

/// A page, by its path in the repository.
pub(crate) struct Page {
    path: String,
    text: String,
}

/// The part of a page from a heading to the next one of any level.
pub(crate) struct Section {
    title: String,
    prose: String,
    blocks: Vec<Block>,
}

/// A fenced block.
struct Block {
    language: String,
    lines: Vec<String>,
}

impl Page {
    /// The page at a path of the repository.
    #[track_caller]
    pub(crate) fn at(path: &str) -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        let text = fs::read_to_string(&file)
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", file.display()));
        Self {
            path: path.to_owned(),
            text,
        }
    }

    /// All pages: those in the root, of `docs/` and of `nix/`. The other texts in `nix/nixpkgs` are for nixpkgs' manual.
    pub(crate) fn all() -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let in_root = fs::read_dir(root)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = in_root
            .filter(|file| file.extension().is_some_and(|extension| extension == "md"))
            .collect();
        for directory in ["docs", "nix"] {
            files.extend(files_with_extension(&root.join(directory), "md"));
        }
        files.retain(|file| {
            !file.starts_with(root.join("nix/nixpkgs")) || file.ends_with("README.md")
        });
        files.sort();
        let paths = files.iter().map(|file| file.strip_prefix(root).unwrap());
        paths.map(|path| Self::at(path.to_str().unwrap())).collect()
    }

    /// Its path in the repository.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Its Markdown text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Its sections. What stands before the first heading is a section without a title.
    pub(crate) fn sections(&self) -> Vec<Section> {
        parse(&self.text)
    }

    /// The section with this title, which must exist once.
    #[track_caller]
    pub(crate) fn section(&self, title: &str) -> Section {
        let mut found = self.sections();
        found.retain(|section| section.title == title);
        assert_eq!(found.len(), 1, "sections {title:?} in {}", self.path);
        found.remove(0)
    }
}

/// The sections of a Markdown text.
fn parse(text: &str) -> Vec<Section> {
    let mut sections = vec![Section::new("")];
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.starts_with('#') {
            sections.push(Section::new(line));
            continue;
        }
        let section = sections.last_mut().unwrap();
        if let Some(language) = line.strip_prefix("```") {
            let lines = lines.by_ref().take_while(|line| *line != "```");
            section.blocks.push(Block {
                language: language.to_owned(),
                lines: lines.map(str::to_owned).collect(),
            });
        } else {
            section.prose.push_str(line);
            section.prose.push('\n');
        }
    }
    sections
}

impl Section {
    fn new(heading: &str) -> Self {
        Self {
            title: heading.trim_start_matches('#').trim().to_owned(),
            prose: String::new(),
            blocks: Vec::new(),
        }
    }

    /// The text of its heading.
    pub(crate) fn title(&self) -> &str {
        &self.title
    }

    /// Its text without its blocks.
    pub(crate) fn prose(&self) -> &str {
        &self.prose
    }

    /// Keeps only those of its `console` blocks whose first command satisfies `wanted`.
    pub(crate) fn with_blocks(mut self, wanted: impl Fn(&str) -> bool) -> Self {
        self.blocks
            .retain(|block| block.first_command().is_none_or(&wanted));
        self
    }

    /// The first commands of its `console` blocks.
    pub(crate) fn first_commands(&self) -> impl Iterator<Item = &str> {
        self.blocks.iter().filter_map(Block::first_command)
    }

    /// The languages of its blocks.
    pub(crate) fn languages(&self) -> impl Iterator<Item = &str> {
        self.blocks.iter().map(|block| block.language.as_str())
    }

    /// The script that writes its files and runs its commands, for bash.
    pub(crate) fn script(&self) -> String {
        let lines: Vec<String> = self.blocks.iter().flat_map(Block::script).collect();
        assert!(!lines.is_empty(), "there is nothing to run");
        lines.join("\n")
    }

    /// The output that its `console` blocks show.
    pub(crate) fn shown(&self) -> Vec<&str> {
        self.blocks
            .iter()
            .filter(|block| block.language == "console")
            .flat_map(|block| &block.lines)
            .map(String::as_str)
            .filter(|line| !line.starts_with("$ ") && !line.starts_with("> "))
            .collect()
    }

    /// The text of its first block in a language.
    #[track_caller]
    pub(crate) fn block(&self, language: &str) -> String {
        let block = self.blocks.iter().find(|block| block.language == language);
        let block = block.unwrap_or_else(|| panic!("{:?} has no {language} block", self.title));
        block.lines.join("\n") + "\n"
    }

    /// The lines of one of its files, after the line that names it.
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
