//! Variables in values: `$VAR`, `${VAR}`, `${VAR:-default}`, `${VAR:?error}`, `${VAR:+other}`, the same without the
//! colon, and `$$` for a dollar.
//!
//! Source: the Compose specification, `12-interpolation.md`.

use std::collections::BTreeSet;

use super::Lookup;

/// Defaults may hold variables with defaults; this deep.
const MAX_DEPTH: usize = 16;

/// No value becomes longer.
const MAX_LENGTH: usize = 64 << 10;

/// Replaces the variables of a text. Those that are not set and have no default are empty, and told.
pub(super) fn interpolate(
    text: &str,
    variables: Lookup<'_>,
    unset: &mut BTreeSet<String>,
) -> Result<String, InterpolationError> {
    replace(text, variables, unset, 0)
}

fn replace(
    text: &str,
    variables: Lookup<'_>,
    unset: &mut BTreeSet<String>,
    depth: usize,
) -> Result<String, InterpolationError> {
    if depth > MAX_DEPTH {
        return Err(InterpolationError::Depth);
    }
    let invalid = |rest: &str| InterpolationError::Syntax(rest.chars().take(60).collect());
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        result.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            result.push('$');
            rest = after;
        } else if let Some(braced) = after.strip_prefix('{') {
            let end = closing_brace(braced).ok_or_else(|| invalid(after))?;
            let (inside, behind) = braced.split_at(end);
            result.push_str(&expression(inside, variables, unset, depth)?);
            rest = behind.strip_prefix('}').unwrap_or(behind);
        } else {
            let (name, behind) = split_name(after);
            if name.is_empty() {
                return Err(invalid(after));
            }
            result.push_str(&value(name, variables, unset));
            rest = behind;
        }
        if result.len() > MAX_LENGTH {
            return Err(InterpolationError::Length);
        }
    }
    result.push_str(rest);
    Ok(result)
}

/// What stands between braces.
fn expression(
    text: &str,
    variables: Lookup<'_>,
    unset: &mut BTreeSet<String>,
    depth: usize,
) -> Result<String, InterpolationError> {
    let (name, operation) = split_name(text);
    let invalid = || InterpolationError::Syntax(format!("{{{text}}}").chars().take(60).collect());
    if name.is_empty() {
        return Err(invalid());
    }
    let (empty_counts, operation) = match operation.strip_prefix(':') {
        Some(operation) => (false, operation),
        None => (true, operation),
    };
    let set = variables(name).filter(|value| empty_counts || !value.is_empty());
    let mut other = |other: &str| replace(other, variables, unset, depth + 1);
    match (operation.split_at_checked(1), set) {
        (None, _) if empty_counts => Ok(value(name, variables, unset)),
        (Some(("-" | "?", _)), Some(value)) => Ok(value),
        (Some(("-", default)), None) => other(default),
        (Some(("?", message)), None) => Err(InterpolationError::Required {
            name: name.to_owned(),
            message: other(message)?,
        }),
        (Some(("+", replacement)), Some(_)) => other(replacement),
        (Some(("+", _)), None) => Ok(String::new()),
        _ => Err(invalid()),
    }
}

fn value(name: &str, variables: Lookup<'_>, unset: &mut BTreeSet<String>) -> String {
    variables(name).unwrap_or_else(|| {
        unset.insert(name.to_owned());
        String::new()
    })
}

/// Takes a variable's name off the beginning.
fn split_name(text: &str) -> (&str, &str) {
    let is_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        return ("", text);
    }
    let end = text
        .find(|character| !is_name(character))
        .unwrap_or(text.len());
    text.split_at(end)
}

/// Where the brace is closed that was opened before `text`.
fn closing_brace(text: &str) -> Option<usize> {
    let mut open = 1;
    for (position, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => open += 1,
            b'}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(position);
        }
    }
    None
}

/// A value whose variables are not right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InterpolationError {
    /// Not one of the forms.
    #[error("`${0}` is not a variable; a dollar is written `$$`")]
    Syntax(String),
    /// The file demands it.
    #[error("the variable {name} is needed{}", colon(message))]
    Required {
        /// Its name.
        name: String,
        /// What the file says of it.
        message: String,
    },
    /// Defaults in defaults.
    #[error("variables are nested too deep")]
    Depth,
    /// The result.
    #[error("a value becomes longer than {MAX_LENGTH} bytes")]
    Length,
}

fn colon(message: &str) -> String {
    if message.is_empty() {
        String::new()
    } else {
        format!(": {message}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn replaced(text: &str) -> Result<String, String> {
        let variables = |name: &str| match name {
            "SET" | "_a1" => Some("value".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        interpolate(text, &variables, &mut BTreeSet::new()).map_err(|error| error.to_string())
    }

    #[test]
    fn all_forms_are_replaced() {
        for (text, result) in [
            ("plain", "plain"),
            ("$SET-x", "value-x"),
            ("${_a1}", "value"),
            ("a$$b$${SET}", "a$b${SET}"),
            ("${SET:-d}", "value"),
            ("${EMPTY:-d}", "d"),
            ("${EMPTY-d}", ""),
            ("${NONE-d}", "d"),
            ("${NONE:-${EMPTY:-$SET}}", "value"),
            ("${NONE:-{\"a\"}}", "{\"a\"}"),
            ("${SET:+other}", "other"),
            ("${EMPTY:+other}", ""),
            ("${EMPTY+other}", "other"),
            ("${NONE+other}", ""),
            ("${SET:?never}", "value"),
            ("${EMPTY?never}", ""),
            ("${NONE}", ""),
            ("${NONE:-a:b-c}", "a:b-c"),
        ] {
            assert_eq!(replaced(text).as_deref(), Ok(result), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (text, error) in [
            ("$", "not a variable"),
            ("$5", "not a variable"),
            ("${", "not a variable"),
            ("${}", "not a variable"),
            ("${SET", "not a variable"),
            ("${SET:}", "not a variable"),
            ("${SET!x}", "not a variable"),
            ("${A B}", "not a variable"),
            ("${NONE:?give $SET}", "NONE is needed: give value"),
            ("${EMPTY:?}", "EMPTY is needed"),
        ] {
            let said = replaced(text).unwrap_err();
            assert!(said.contains(error), "{text}: {said}");
        }
        let deep = format!("{}{}", "${N:-".repeat(1000), "}".repeat(1000));
        assert!(replaced(&deep).unwrap_err().contains("deep"));
        assert!(
            replaced(&"$SET".repeat(100_000))
                .unwrap_err()
                .contains("longer")
        );
    }

    proptest! {
        #[test]
        fn any_text_is_replaced_or_refused_without_a_panic(text in "([${}:?+a-]|\\PC){0,60}") {
            let _ = replaced(&text);
        }
    }
}
