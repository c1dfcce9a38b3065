//! The text of an error and its causes. The command line owns how they are printed.

use std::error::Error;

/// Returns the error and its causes, one per line. Omits a cause that repeats the previous line.
#[must_use]
pub fn lines(error: &dyn Error) -> Vec<String> {
    let mut lines = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        lines.push(error.to_string());
        cause = error.source();
    }
    lines.dedup();
    lines
}

/// Returns the error and its causes in one line, separated by colons.
#[must_use]
pub fn line(error: &dyn Error) -> String {
    lines(error).join(": ")
}
