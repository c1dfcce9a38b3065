//! Variables in values: `$VAR`, `${VAR}`, `${VAR:-default}`, `${VAR:?error}`, `${VAR:+other}`, the same without the
//! colon, and `$$` for a dollar. Before any other character a dollar is literal.
//!
//! Source: the Compose specification, `12-interpolation.md`.

use super::InterpolationError;
use super::variables::{Lookup, ReplacementState, Value};
use crate::printable::Printable;

/// The greatest depth of variables in defaults.
const MAX_DEPTH: usize = 16;

/// The greatest length of a value in bytes.
const MAX_LENGTH: usize = 64 << 10;

/// The greatest length in characters of a message for a required variable.
const MAX_MESSAGE: usize = 200;

/// Replaces the variables of a text. A variable that is not set and has no default is empty, and is recorded in
/// `replacing`.
pub(super) fn interpolate(
    text: &str,
    variables: Lookup<'_>,
    replacing: &mut ReplacementState,
) -> Result<Value, InterpolationError> {
    replace(text, variables, replacing, 0)
}

fn replace(
    text: &str,
    variables: Lookup<'_>,
    replacing: &mut ReplacementState,
    depth: usize,
) -> Result<Value, InterpolationError> {
    if depth > MAX_DEPTH {
        return Err(InterpolationError::Depth);
    }
    replacing.count_bytes(text.len())?;
    let mut result = Value::default();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        result.text.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            result.text.push('$');
            rest = after;
        } else if let Some(braced) = after.strip_prefix('{') {
            let end = closing_brace(braced).ok_or(InterpolationError::Syntax)?;
            let (inside, behind) = braced.split_at(end);
            result.push(expression(inside, variables, replacing, depth)?);
            rest = behind.strip_prefix('}').unwrap_or(behind);
        } else {
            let (name, behind) = split_name(after);
            if name.is_empty() {
                result.text.push('$');
            } else {
                result.push(value(name, variables, replacing)?);
            }
            rest = behind;
        }
        if result.text.len() > MAX_LENGTH {
            return Err(InterpolationError::Length);
        }
    }
    result.text.push_str(rest);
    Ok(result)
}

/// Evaluates the text between braces.
fn expression(
    text: &str,
    variables: Lookup<'_>,
    replacing: &mut ReplacementState,
    depth: usize,
) -> Result<Value, InterpolationError> {
    let (name, operation) = split_name(text);
    if name.is_empty() {
        return Err(InterpolationError::Syntax);
    }
    let (empty_counts, operation) = match operation.strip_prefix(':') {
        Some(operation) => (false, operation),
        None => (true, operation),
    };
    if operation.is_empty() && empty_counts {
        return value(name, variables, replacing);
    }
    let set = replacing
        .value(name, variables)?
        .filter(|value| empty_counts || !value.text.is_empty());
    let mut other = |other: &str| replace(other, variables, replacing, depth + 1);
    match (operation.split_at_checked(1), set) {
        (Some(("-" | "?", _)), Some(value)) => Ok(value),
        (Some(("-", default)), None) => other(default),
        // The message is shown unchanged: with its variables replaced, it could contain a secret.
        (Some(("?", message)), None) => Err(InterpolationError::Required {
            name: name.to_owned(),
            message: Printable::at_most(MAX_MESSAGE, message),
        }),
        (Some(("+", replacement)), Some(_)) => other(replacement),
        (Some(("+", _)), None) => Ok(Value::default()),
        _ => Err(InterpolationError::Syntax),
    }
}

fn value(
    name: &str,
    variables: Lookup<'_>,
    replacing: &mut ReplacementState,
) -> Result<Value, InterpolationError> {
    let value = replacing.value(name, variables)?;
    Ok(value.unwrap_or_else(|| {
        replacing.unset.insert(name.to_owned());
        Value::default()
    }))
}

/// Splits the name of a variable from the text behind it.
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

/// Returns the position of the closing brace, for an opening brace before `text`.
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn replaced(text: &str) -> Result<String, String> {
        let variables = |name: &str| {
            let text = match name {
                "SET" | "_a1" => "value",
                "EMPTY" => "",
                _ => return None,
            };
            Some(Value::of(name, text.to_owned()))
        };
        interpolate(text, &variables, &mut ReplacementState::new())
            .map(|value| value.text)
            .map_err(|error| error.to_string())
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
            ("$", "$"),
            ("pa$5word", "pa$5word"),
            ("$(date)", "$(date)"),
            ("$2y$10$x.SET", "$2y$10.SET"),
        ] {
            assert_eq!(replaced(text).as_deref(), Ok(result), "{text}");
        }
    }

    #[test]
    fn an_error_names_the_problem() {
        for (text, error) in [
            ("${", "not a variable"),
            ("${}", "not a variable"),
            ("${SET", "not a variable"),
            ("${SET:}", "not a variable"),
            ("${SET!x}", "not a variable"),
            ("${A B}", "not a variable"),
            ("${NONE:?give $SET}", "NONE is required: give $SET"),
            ("${EMPTY:?}", "EMPTY is required"),
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
