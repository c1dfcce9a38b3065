//! Quotation in units. Texts of an image stay texts: they are no further key, no specifier and no variable.
//!
//! Source: systemd.syntax(7), section "Quoting"; systemd.service(5), section "Command lines"; systemd.unit(5), section
//! "Specifiers".

use std::fmt::Write as _;

use super::error::Error;

/// Returns an argument of a command.
pub(super) fn argument(text: &str) -> Result<String, Error> {
    if text.contains('\0') {
        return Err(Error::Word);
    }
    Ok(quoted(&text.replace('$', "$$")))
}

/// Returns the first word of a command, in which systemd replaces no variables. `None` if it has control characters.
pub(super) fn program(text: &str) -> Option<String> {
    (!text.chars().any(char::is_control)).then(|| quoted(text))
}

/// Returns the value of `Environment=` for one variable.
pub(super) fn assignment(name: &str, value: &str) -> String {
    quoted(&format!("{name}={value}"))
}

/// Returns whether systemd accepts a variable. It ignores others.
///
/// Source: systemd, `src/basic/env-util.c`, `env_assignment_is_valid`.
pub(super) fn is_variable(name: &str, value: &str) -> bool {
    let is_first = |first: char| first.is_ascii_alphabetic() || first == '_';
    name.starts_with(is_first)
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && value
            .chars()
            .all(|character| matches!(character, '\n' | '\t') || !character.is_control())
}

/// Returns a text in which systemd replaces no specifiers.
pub(super) fn specifiers(text: &str) -> String {
    text.replace('%', "%%")
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in specifiers(text).chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            character if character.is_ascii_control() => {
                // Writing to a string never fails.
                let _ = write!(quoted, "\\x{:02x}", u32::from(character));
            }
            character => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}
