//! The reasons why the variables of a text cannot be replaced.

use crate::printable::Printable;

/// A value whose variables are not right. The value is not shown: it may hold a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InterpolationError {
    /// Not one of the forms.
    #[error("what begins with `${{` is not a variable; a dollar before a brace is written `$$`")]
    Syntax,
    /// The file demands it.
    #[error("the variable {name} is needed{}", colon(message))]
    Required {
        /// Its name.
        name: String,
        /// What the file says of it.
        message: Printable,
    },
    /// Defaults in defaults.
    #[error("variables are nested too deep")]
    Depth,
    /// The result.
    #[error("a value becomes longer than 64 KiB")]
    Length,
    /// All results together.
    #[error("the variables of this file make too much of it")]
    TooMuch,
}

fn colon(message: &Printable) -> String {
    if message.as_str().is_empty() {
        String::new()
    } else {
        format!(": {message}")
    }
}
