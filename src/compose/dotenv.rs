//! Files of variables (`.env`): `NAME=value` or `NAME: value`, with quotes, comments and variables. Such files contain
//! passwords, so no error shows a value.
//!
//! Sources: Docker's documentation, "Environment variables: interpolation", section ".env file syntax"; and what
//! Compose 2.26 was seen to read.

use super::InterpolationError;
use super::interpolation::interpolate;
use super::variables::{Lookup, ReplacementState, Value, Variables};

/// Parses a file. The environment takes precedence over the file, also for variables in the file's values.
pub fn parse(text: &str, environment: Lookup<'_>) -> Result<Variables, Error> {
    parse_with(text, environment, &mut ReplacementState::new())
}

/// Parses a file as a part of a project, whose limits apply.
pub(super) fn parse_with(
    text: &str,
    environment: Lookup<'_>,
    replacing: &mut ReplacementState,
) -> Result<Variables, Error> {
    let text = text
        .strip_prefix('\u{feff}')
        .unwrap_or(text)
        .replace("\r\n", "\n");
    let mut scanner = Scanner {
        rest: &text,
        line: 1,
    };
    let mut variables = Variables::new();
    while scanner.find_entry() {
        let line = scanner.line;
        let Some(name) = scanner.name()? else {
            continue;
        };
        let value = match scanner.value()? {
            RawValue::Literal(text) => Value { text, secret: None },
            RawValue::WithVariables(text) => {
                let lookup =
                    |name: &str| environment(name).or_else(|| variables.get(name).cloned());
                interpolate(&text, &lookup, replacing).map_err(|error| match error {
                    // The name of the variable is part of a value.
                    InterpolationError::Required { .. } => Error::Needed(line),
                    source => Error::Variable { line, source },
                })?
            }
        };
        let mut own = Value::of(name, String::new());
        own.push(value);
        variables.insert(name.to_owned(), own);
    }
    Ok(variables)
}

/// A value before its variables are replaced.
enum RawValue {
    /// A value without variables.
    Literal(String),
    /// A value with variables.
    WithVariables(String),
}

/// The rest of a file.
struct Scanner<'a> {
    rest: &'a str,
    /// The line on which the rest begins, counted from 1.
    line: usize,
}

impl<'a> Scanner<'a> {
    /// Skips blank lines and comments. Returns `false` at the end.
    fn find_entry(&mut self) -> bool {
        loop {
            let entry = self.rest.trim_start();
            self.pass(self.rest.len() - entry.len());
            if !entry.starts_with('#') {
                return !entry.is_empty();
            }
            self.pass(end_of_line(entry));
        }
    }

    /// Reads a name, and the separator behind it. Returns `None` if the line has no value, so the environment's value
    /// applies.
    fn name(&mut self) -> Result<Option<&'a str>, Error> {
        let begin = match self.rest.strip_prefix("export") {
            Some(name) if name.starts_with(is_blank) => name.trim_start_matches(is_blank),
            _ => self.rest,
        };
        let end = begin.find(['=', ':', '\n']).unwrap_or(begin.len());
        let (name, behind) = begin.split_at(end);
        let name = name.trim_end();
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '[' | ']');
        if !name.chars().all(is_part) {
            return Err(Error::Line(self.line));
        }
        let is_inherited = behind.is_empty() || behind.starts_with('\n');
        if !is_inherited {
            let value = behind.get(1..).unwrap_or_default();
            self.rest = value.trim_start_matches(is_blank);
            return Ok(Some(name));
        }
        self.rest = behind;
        Ok(None)
    }

    /// Reads a value. A quoted value may have several lines.
    fn value(&mut self) -> Result<RawValue, Error> {
        let text = self.rest;
        if let Some(quote @ ('\'' | '"')) = text.chars().next() {
            let (value, length) = quoted(text, quote).ok_or(Error::Quote(self.line))?;
            self.pass(length);
            return Ok(if quote == '"' {
                RawValue::WithVariables(unescaped(&value))
            } else {
                RawValue::Literal(value)
            });
        }
        let (line, _) = text.split_at(end_of_line(text));
        self.pass(line.len());
        let value = line.split_once(" #").map_or(line, |(value, _)| value);
        Ok(RawValue::WithVariables(value.trim_end().to_owned()))
    }

    /// Skips bytes.
    fn pass(&mut self, bytes: usize) {
        let (passed, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.line += passed.bytes().filter(|byte| *byte == b'\n').count();
        self.rest = rest;
    }
}

fn end_of_line(text: &str) -> usize {
    text.find('\n').unwrap_or(text.len())
}

/// Returns whether a character is white space within a line.
fn is_blank(character: char) -> bool {
    character != '\n' && character.is_whitespace()
}

/// Returns the text between quotes, and its length with the quotes. A backslash escapes a quote.
fn quoted(text: &str, quote: char) -> Option<(String, usize)> {
    let mut value = String::new();
    let mut is_escaped = false;
    for (position, character) in text.char_indices().skip(1) {
        match character {
            '\\' if !is_escaped => {
                is_escaped = true;
                continue;
            }
            _ if character == quote && !is_escaped => {
                return Some((value, position + quote.len_utf8()));
            }
            _ if is_escaped && character != quote => value.push('\\'),
            _ => {}
        }
        is_escaped = false;
        value.push(character);
    }
    None
}

/// Replaces the escapes in double quotes: those of C for one character, and octal numbers. `\$` is a dollar that begins
/// no variable.
fn unescaped(text: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        result.push_str(before);
        let simple = match after.chars().next() {
            Some('a') => Some("\u{7}"),
            Some('b') => Some("\u{8}"),
            Some('f') => Some("\u{c}"),
            Some('n') => Some("\n"),
            Some('r') => Some("\r"),
            Some('t') => Some("\t"),
            Some('v') => Some("\u{b}"),
            Some('"') => Some("\""),
            Some('\\') => Some("\\"),
            Some('$') => Some("$$"),
            _ => None,
        };
        if let Some(simple) = simple {
            result.push_str(simple);
            rest = after.get(1..).unwrap_or_default();
        } else if let Some((character, behind)) = octal(after) {
            result.push(character);
            rest = behind;
        } else {
            result.push('\\');
            rest = after;
        }
    }
    result.push_str(rest);
    result
}

/// Parses an octal escape: a zero and three octal digits. Returns the character and the rest.
fn octal(text: &str) -> Option<(char, &str)> {
    let (digits, behind) = text.strip_prefix('0')?.split_at_checked(3)?;
    if !digits.bytes().all(|byte| matches!(byte, b'0'..=b'7')) {
        return None;
    }
    let number = u32::from_str_radix(digits, 8).ok()?;
    char::from_u32(number)
        .filter(|_| number < 0x100)
        .map(|character| (character, behind))
}

/// The file is not a valid file of variables. The error shows no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A line is not a variable.
    #[error("line {0} is not NAME=value")]
    Line(usize),
    /// A quote has no end.
    #[error("line {0} begins a quote without an end")]
    Quote(usize),
    /// The file requires a variable that is not set.
    #[error("line {0} requires a variable that is not set")]
    Needed(usize),
    /// The variables of a value cannot be replaced.
    #[error("cannot read line {line}")]
    Variable {
        /// The number of the line, from 1.
        line: usize,
        /// The cause.
        #[source]
        source: InterpolationError,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Variables, Error> {
        let outside = |name: &str| (name == "HOST").then(|| Value::of(name, "outside".to_owned()));
        parse(text, &outside)
    }

    /// Returns the value of `X` in the file.
    fn x_of(text: &str) -> String {
        read(text).unwrap().remove("X").unwrap().text
    }

    #[test]
    fn lines_are_parsed_as_compose_parses_them() {
        for (text, value) in [
            ("X=1", "1"),
            (" export X = two words # not this", "two words"),
            ("export\tX=2", "2"),
            ("exportX=1\nX=3", "3"),
            ("X: 1", "1"),
            ("X==a", "=a"),
            ("X=", ""),
            ("X=#2", "#2"),
            ("X= #2", "#2"),
            ("X=a#2", "a#2"),
            ("X=a\t#2", "a\t#2"),
            ("2FA=1\na[1]=c\n=\'y\'\nX.Y=1\nX=2", "2"),
            ("X=\u{a0}a", "a"),
            ("\u{feff}X=1\r\nY=2", "1"),
            ("# a comment\n  # another\n\nINHERITED\nX='last'", "last"),
            ("X='a'Y=2", "a"),
            ("X='first'\nX=second", "second"),
            ("X='$A # literal'", "$A # literal"),
            ("X='it\\'s a\\nb'", "it's a\\nb"),
            ("X=\"two\nlines\" # behind", "two\nlines"),
            (
                "X=\"a\\tb\\x41\\0101\\\\ \\\"\\$HOST\"",
                "a\tb\\x41A\\ \"$HOST",
            ),
            ("X=a\\nb", "a\\nb"),
            ("A=1\nX=${HOST}/${A}/$NONE", "outside/1/"),
            ("X=\\$HOST", "\\outside"),
            // A dollar that begins no variable.
            ("X=pa$5word", "pa$5word"),
            ("X=$2y$10$x.y", "$2y$10.y"),
            ("X=$(date)", "$(date)"),
            ("X=$", "$"),
        ] {
            assert_eq!(x_of(text), value, "{text:?}");
        }
    }

    #[test]
    fn an_error_names_the_line_and_shows_no_value() {
        for (text, line) in [
            ("A=1\nhunter2 b", "line 2"),
            ("A=1\n\n1 B=hunter2", "line 3"),
            ("A='hunter2\n", "line 1"),
            ("\nA=\"hunter2\\\"\n", "line 2"),
            ("A=\"x\ny\"\nB=${hunter2", "line 3"),
            ("B=${hunter2!}", "line 1"),
            ("B=${hunter2?hunter2}", "line 1"),
        ] {
            let error = read(text).unwrap_err();
            let source = std::error::Error::source(&error).map(ToString::to_string);
            let said = format!("{error} {}", source.unwrap_or_default());
            assert!(
                said.contains(line) && !said.contains("hunter2"),
                "{text:?}: {said}"
            );
        }
    }

    #[test]
    fn a_value_that_contains_a_secret_is_secret() {
        let variables = read("DB_PASSWORD=x\nURL=a:$DB_PASSWORD@b\nTAG=${URL}\nPLAIN=1").unwrap();
        for (name, secret) in [("TAG", Some("DB_PASSWORD")), ("PLAIN", None)] {
            assert_eq!(variables[name].secret.as_deref(), secret, "{name}");
        }
    }

    #[test]
    fn variables_that_grow_exponentially_are_refused() {
        use std::fmt::Write as _;
        let mut text = format!("A0={}\n", "x".repeat(60_000));
        for number in 1..4000 {
            writeln!(text, "A{number}=$A0").unwrap();
        }
        let error = read(&text).unwrap_err();
        let source = InterpolationError::TooMuch;
        assert!(
            matches!(&error, Error::Variable { source: own, .. } if *own == source),
            "{error}"
        );
        let mut text = "A0=xx\n".to_owned();
        for number in 1..40 {
            let before = number - 1;
            writeln!(text, "A{number}=$A{before}$A{before}").unwrap();
        }
        assert!(read(&text).is_err());
        // A value that is only tested counts, too.
        let mut text = format!("A0={}\n", "x".repeat(60_000));
        text.push_str(&"B=${A0:+}\n".repeat(4000));
        assert!(read(&text).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in "([A-C='\"\\\\$#\n ]|\\PC){0,60}") {
            let _ = read(&text);
        }
    }
}
