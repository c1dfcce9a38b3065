//! The errors of the replacement of variables.

use crate::printable::Printable;

/// The variables of a value cannot be replaced. The error does not show the value, which may contain a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InterpolationError {
    /// The syntax is unknown.
    #[error("the text after `${{` is not a variable; write `$$` for a dollar before a brace")]
    Syntax,
    /// The file requires a variable that is not set.
    #[error("the variable {name} is required{}", colon(message))]
    Required {
        /// The name.
        name: String,
        /// The message in the file.
        message: Printable,
    },
    /// Defaults are nested too deeply.
    #[error("variables are nested too deeply")]
    Depth,
    /// The value is too long.
    #[error("a value is longer than 64 KiB")]
    Length,
    /// All values together are too long.
    #[error("the values of all variables together are too long")]
    TooMuch,
}

fn colon(message: &Printable) -> String {
    if message.as_str().is_empty() {
        String::new()
    } else {
        format!(": {message}")
    }
}
