//! Errors for people. The one place that prints them: the first line says what was attempted on which
//! object, then the causes follow one a line, then a hint. It is often the last thing in a Nix build log, so
//! there is no colour, and a wrong digest is also shown as Nix writes it.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use super::{Error, Exit};
use crate::nix::hash_text::sri;
use crate::safe_url;

/// Tells something that is no error.
pub(super) fn note(text: &str) {
    print(&format!("{text}\n"));
}

/// Prints an error, unless it is a reader that went away or a signal, and says how to end.
pub(super) fn error(error: &Error) -> Exit {
    let exit = error.exit();
    if let Error::Several(errors) = error {
        for error in errors {
            print(&text(error));
        }
        return exit;
    }
    if !matches!(exit, Exit::Done | Exit::Signal(_)) {
        print(&text(error));
    }
    exit
}

/// An error and its causes in one line, for programs.
pub(super) fn line(error: &dyn std::error::Error) -> String {
    printable(&chain(error).join(": "))
}

/// An error and its causes.
pub(super) fn chain(error: &dyn std::error::Error) -> Vec<String> {
    let mut lines = vec![error.to_string()];
    let mut source = error.source();
    while let Some(cause) = source {
        let line = cause.to_string();
        // Libraries like to repeat themselves.
        if lines.last() != Some(&line) {
            lines.push(line);
        }
        source = cause.source();
    }
    lines
}

fn text(error: &Error) -> String {
    let causes = chain(error).into_iter().chain(error.reasons());
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
    let lines: Vec<_> = lines.iter().map(|line| printable(line)).collect();
    lines.join("\n") + "\n"
}

/// A line without what could play tricks on a terminal or forge another line, and of a bearable length: texts
/// of registries, archives and files end up in errors.
pub(super) fn printable(line: &str) -> String {
    line.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(2000)
        .collect()
}

/// Prints what clap has to say: help and version to standard output, the rest to standard error.
pub(super) fn usage(error: &clap::Error) -> ExitCode {
    if error.use_stderr() {
        let styled = error.render();
        let text = if std::io::stderr().is_terminal() {
            styled.ansi().to_string()
        } else {
            styled.to_string()
        };
        // It repeats arguments, and one of them may be a URL with a password, given in the wrong place.
        let words: Vec<_> = text.split(' ').map(safe_url::shown).collect();
        print(&words.join(" "));
        return Exit::Usage.into();
    }
    // Nobody reads: then there is nothing to tell anybody either.
    let _ = error.print();
    Exit::Done.into()
}

/// Standard error may be closed; there is no other place to say so.
fn print(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}
