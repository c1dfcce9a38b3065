//! An error and its causes, as text.

use std::error::Error;

/// The error and its causes, one a line. A cause that repeats the line before it is left out.
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

/// The error and its causes in one line.
#[must_use]
pub fn line(error: &dyn Error) -> String {
    lines(error).join(": ")
}
