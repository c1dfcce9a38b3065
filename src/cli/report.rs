//! Errors for people. The one place that prints them: the first line says what was attempted on which
//! object, then the causes follow one a line, then a hint. It is often the last thing in a Nix build log, so
//! there is no colour, and a wrong digest is also shown as Nix writes it.

use std::process::ExitCode;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue};

use super::{Error, Exit, stderr};
use hocker::causes;
use hocker::nix::hash_text::sri;
use hocker::printable::Printable;
use hocker::safe_url;

/// Tells something that is no error.
pub(super) fn note(text: &Printable) {
    stderr::lines(std::slice::from_ref(text));
}

/// Prints an error, unless it is a reader that went away or a signal, and says how to end.
pub(super) fn error(error: &Error) -> Exit {
    let exit = error.exit();
    if let Error::Several(errors) = error {
        for error in errors {
            stderr::lines(&lines(error));
        }
        return exit;
    }
    if !matches!(exit, Exit::Done | Exit::Signal(_)) {
        stderr::lines(&lines(error));
    }
    exit
}

/// An error and its causes in one line, for programs.
pub(super) fn line(error: &dyn std::error::Error) -> Printable {
    Printable::new(&causes::line(error))
}

fn lines(error: &Error) -> Vec<Printable> {
    let causes = causes::lines(error).into_iter().chain(error.reasons());
    let mut lines: Vec<_> = causes.map(|line| format!("  caused by: {line}")).collect();
    if let Some(first) = lines.first_mut() {
        *first = format!("hocker: {error}");
    }
    if let Some(mismatch) = error.mismatch() {
        lines.push(format!("  specified: {}", sri(&mismatch.expected)));
        lines.push(format!("        got: {}", sri(&mismatch.actual)));
    }
    if let Some(hint) = error.hint() {
        lines.push(format!("  hint: {hint}"));
    }
    lines.iter().map(|line| Printable::new(line)).collect()
}

/// Prints what clap has to say: help and version to standard output, the rest to standard error.
pub(super) fn usage(mut error: clap::Error) -> ExitCode {
    if error.use_stderr() {
        quote_printable(&mut error);
        stderr::lines(&usage_lines(&error));
        return Exit::Usage.into();
    }
    // If the reader has gone, there is no one left to print the failure for.
    let _ = error.print();
    Exit::Done.into()
}

/// Makes the arguments printable that the error quotes, so that they have no line of their own among its lines.
fn quote_printable(error: &mut clap::Error) {
    let context: Vec<_> = error
        .context()
        .map(|(kind, value)| (kind, value.clone()))
        .collect();
    for (kind, value) in context {
        let value = match value {
            ContextValue::String(text) => ContextValue::String(quoted(&text)),
            ContextValue::Strings(texts) => {
                ContextValue::Strings(texts.iter().map(|text| quoted(text)).collect())
            }
            ContextValue::StyledStrs(texts) => {
                let texts = texts.iter().map(|text| quoted(&text.to_string()).into());
                ContextValue::StyledStrs(texts.collect())
            }
            // The usage has several lines, and is made of definitions alone.
            ContextValue::StyledStr(text) if kind != ContextKind::Usage => {
                ContextValue::StyledStr(quoted(&text.to_string()).into())
            }
            value => value,
        };
        error.insert(kind, value);
    }
}

fn quoted(text: &str) -> String {
    Printable::new(&safe_url::shown(text)).to_string()
}

/// The lines of an error, without what they may not show of an argument that looks like a URL: one may have a password
/// in it, given in the wrong place.
fn usage_lines(error: &clap::Error) -> Vec<Printable> {
    let mut text = error.render().ansi().to_string();
    // What a value's own parser says of it.
    if let Some(source) = std::error::Error::source(error) {
        let said = source.to_string();
        text = text.replace(&said, Printable::new(&said).as_str());
    }
    let text = StyledStr::from(text).to_string();
    let lines = text.lines().map(|line| {
        let words: Vec<_> = line.split(' ').map(safe_url::shown).collect();
        Printable::new(&words.join(" "))
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::manual;

    #[test]
    fn an_argument_that_a_usage_error_quotes_stays_in_its_line() {
        for argument in ["--a\n  hint: run\u{1b}[2Jthis", "lo\r\nad\u{202e}"] {
            let mut error = manual::parse(["hocker", argument]).unwrap_err();
            quote_printable(&mut error);
            let lines = usage_lines(&error);
            assert!(lines[0].as_str().contains(r"\n"), "{lines:?}");
            assert!(
                !lines.iter().any(|line| line.as_str().starts_with("  hint")),
                "{lines:?}"
            );
        }
    }
}
