//! The one place that prints errors. The first line names the operation and the object; then follow the causes, one a
//! line, and a hint. An error is often the end of a Nix build log, so it has no colour, and a digest mismatch is also
//! shown as SRI.

use std::process::ExitCode;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue};

use super::{Error, Exit, stderr};
use hocker::causes;
use hocker::nix::hash_text::sri;
use hocker::printable::Printable;
use hocker::safe_url;

/// Prints a line that is not an error.
pub(super) fn note(text: &Printable) {
    stderr::lines(std::slice::from_ref(text));
}

/// Prints an error and returns the exit code. A closed pipe and a signal print nothing.
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

/// Returns an error and its causes as one line, for JSON.
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

/// Prints clap's output: help and version to standard output, usage errors to standard error.
pub(super) fn usage(mut error: clap::Error) -> ExitCode {
    if error.use_stderr() {
        quote_printable(&mut error);
        stderr::lines(&usage_lines(&error));
        return Exit::Usage.into();
    }
    // The reader may have closed standard output.
    match error.print() {
        Ok(()) => Exit::Done.into(),
        Err(failure) => self::error(&Error::Stdout(failure)).into(),
    }
}

/// Makes the arguments printable that an error quotes, so that none of them can add a line to it.
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
            // The usage has several lines, and contains no argument.
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

/// Returns the lines of a usage error. An argument that looks like a URL is redacted: it may contain a password, even
/// in the wrong place.
fn usage_lines(error: &clap::Error) -> Vec<Printable> {
    let mut text = error.render().ansi().to_string();
    // The error of a value's own parser may quote the value.
    if let Some(source) = std::error::Error::source(error) {
        let source = source.to_string();
        text = text.replace(&source, Printable::new(&source).as_str());
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
