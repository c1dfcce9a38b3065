//! Files of variables beside Compose files (`.env`): lines `NAME=value`, with quotes, comments and variables of their
//! own.
//!
//! Source: Docker's documentation, "Environment variables: interpolation", section ".env file syntax".

use std::collections::{BTreeMap, BTreeSet};

use super::Lookup;
use super::interpolation::{InterpolationError, interpolate};

/// Reads a file. What the environment says wins over the file, in the file's own variables too.
pub fn parse(text: &str, environment: Lookup<'_>) -> Result<BTreeMap<String, String>, Error> {
    let mut variables = BTreeMap::new();
    let text = text
        .strip_prefix('\u{feff}')
        .unwrap_or(text)
        .replace("\r\n", "\n");
    let mut rest = text.as_str();
    let all_lines = text.lines().count();
    while !rest.is_empty() {
        let line = all_lines - rest.lines().count() + 1;
        let (first, behind) = rest.split_once('\n').unwrap_or((rest, ""));
        let entry = first.trim_start();
        let entry = entry.strip_prefix("export ").unwrap_or(entry);
        let Some((name, value)) = entry.split_once('=').filter(|_| !entry.starts_with('#')) else {
            let is_nothing =
                entry.trim().is_empty() || entry.starts_with('#') || is_name(entry.trim());
            if !is_nothing {
                return Err(Error::Line(line));
            }
            rest = behind;
            continue;
        };
        let name = name.trim();
        if !is_name(name) {
            return Err(Error::Line(line));
        }
        let value = value.trim_start_matches([' ', '\t']);
        // Quotes may go on over several lines.
        let from_value = rest.get(first.len() - value.len()..).unwrap_or_default();
        let (value, behind, is_literal) = match value.chars().next() {
            Some('\'') => {
                let (value, behind) = quoted(from_value, '\'').ok_or(Error::Quote(line))?;
                (value.to_owned(), behind, true)
            }
            Some('"') => {
                let (value, behind) = quoted(from_value, '"').ok_or(Error::Quote(line))?;
                (unescaped(value), behind, false)
            }
            _ => {
                let end = value.find(" #").unwrap_or(value.len());
                let value = value.get(..end).unwrap_or(value);
                let value = if value.starts_with('#') {
                    ""
                } else {
                    value.trim_end()
                };
                (value.to_owned(), behind, false)
            }
        };
        let value = if is_literal {
            value
        } else {
            let lookup = |name: &str| environment(name).or_else(|| variables.get(name).cloned());
            interpolate(&value, &lookup, &mut BTreeSet::new())
                .map_err(|source| Error::Variable { line, source })?
        };
        variables.insert(name.to_owned(), value);
        rest = behind;
    }
    Ok(variables)
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|first: char| first.is_ascii_digit())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

/// What stands between quotes, and what follows the line on which they end.
fn quoted(text: &str, quote: char) -> Option<(&str, &str)> {
    let inside = text.strip_prefix(quote)?;
    let mut is_escaped = false;
    let end = inside.char_indices().find_map(|(position, character)| {
        let ends = character == quote && !is_escaped;
        is_escaped = quote == '"' && character == '\\' && !is_escaped;
        ends.then_some(position)
    })?;
    let (value, behind) = inside.split_at_checked(end)?;
    let behind = behind.split_once('\n').map_or("", |(_, behind)| behind);
    Some((value, behind))
}

/// Double quotes know `\n`, `\r`, `\t`, `\"` and `\\`, and keep a dollar from being a variable by `\$`.
fn unescaped(text: &str) -> String {
    let mut result = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            result.push(character);
            continue;
        }
        match characters.next() {
            Some('n') => result.push('\n'),
            Some('r') => result.push('\r'),
            Some('t') => result.push('\t'),
            Some('$') => result.push_str("$$"),
            Some(escaped @ ('"' | '\\')) => result.push(escaped),
            Some(other) => result.extend(['\\', other]),
            None => result.push('\\'),
        }
    }
    result
}

/// A file that is not one of variables. What is in it is not shown: such files hold passwords.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not a variable.
    #[error("line {0} is not NAME=value")]
    Line(usize),
    /// A quote that does not end.
    #[error("line {0} begins a quote that does not end")]
    Quote(usize),
    /// A variable of its own.
    #[error("line {line} cannot be read")]
    Variable {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        #[source]
        source: InterpolationError,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<BTreeMap<String, String>, Error> {
        parse(text, &|name| (name == "HOST").then(|| "outside".to_owned()))
    }

    #[test]
    fn quotes_comments_and_variables_are_understood() {
        let text = "\
# a comment
A=1
 export B = two words # not this
C='$A # literal'
D=\"$A \\$A \\\"x\\\"\\n\"
E=${HOST}/${A}
F=\"two
lines\" # behind
G=
H=#nothing
I=a#b
INHERITED

J='last'";
        let variables = read(text).unwrap();
        let expected = [
            ("A", "1"),
            ("B", "two words"),
            ("C", "$A # literal"),
            ("D", "1 $A \"x\"\n"),
            ("E", "outside/1"),
            ("F", "two\nlines"),
            ("G", ""),
            ("H", ""),
            ("I", "a#b"),
            ("J", "last"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(variables, BTreeMap::from(expected));
    }

    #[test]
    fn what_is_wrong_is_told_by_its_line_and_not_shown() {
        for (text, line) in [
            ("A=1\nhunter2 b", "line 2"),
            ("A=1\n\n1B=hunter2", "line 3"),
            ("A='hunter2\n", "line 1"),
            ("\nA=\"hunter2\\\"\n", "line 2"),
        ] {
            let said = read(text).unwrap_err().to_string();
            assert!(
                said.contains(line) && !said.contains("hunter2"),
                "{text:?}: {said}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in "([A-C='\"\\\\$#\n ]|\\PC){0,60}") {
            let _ = read(&text);
        }
    }
}
