//! Nix text in the layout of nixfmt, with string literals that denote exactly the given text.
//!
//! Sources: Nix manual, "String literals" (escapes, and how indented strings lose their indentation);
//! Nix RFC 166 for the layout.

use std::fmt::Write as _;

/// The width of nixfmt's lines in characters, if they can be broken.
const WIDTH: usize = 100;

/// The part of the Nix language that the expressions use.
pub(super) enum Expression {
    /// `null`.
    Null,
    /// A string.
    Text(String),
    /// A list of strings. It is not empty.
    Texts(Vec<String>),
    /// A string for people to read. It is an indented string if that is exact.
    Document(String),
    /// `function { … }`, or `function rec { … }`.
    Call {
        function: &'static str,
        recursive: bool,
        bindings: Vec<Binding>,
    },
    /// `let … in [ … ]`, a list of the names that the bindings define.
    ListOf(Vec<(String, Expression)>),
}

pub(super) enum Binding {
    Inherit(Vec<&'static str>),
    Set(&'static str, Expression),
}

/// Renders `{ formals }: body`, with a final newline.
pub(super) fn function(formals: &[&str], body: &Expression) -> String {
    let mut out = String::new();
    if let [only] = formals {
        push(&mut out, format_args!("{{ {only} }}:\n"));
    } else {
        out.push_str("{\n");
        for formal in formals {
            push(&mut out, format_args!("  {formal},\n"));
        }
        out.push_str("}:\n");
    }
    expression(&mut out, 0, body);
    out.push('\n');
    out
}

fn expression(out: &mut String, depth: usize, node: &Expression) {
    match node {
        Expression::Null => out.push_str("null"),
        Expression::Text(text) => out.push_str(&string(text)),
        Expression::Texts(items) => texts(out, depth, items),
        Expression::Document(text) => match indented_string(text, depth) {
            Some(literal) => out.push_str(&literal),
            None => out.push_str(&string(text)),
        },
        Expression::Call {
            function,
            recursive,
            bindings,
        } => {
            let keyword = if *recursive { "rec " } else { "" };
            push(out, format_args!("{function} {keyword}{{\n"));
            for binding in bindings {
                set(out, depth + 1, binding);
            }
            indent(out, depth);
            out.push('}');
        }
        Expression::ListOf(items) => list(out, depth, items),
    }
}

fn set(out: &mut String, depth: usize, binding: &Binding) {
    indent(out, depth);
    match binding {
        // nixfmt keeps at most three names on the line.
        Binding::Inherit(names) if names.len() <= 3 => {
            push(out, format_args!("inherit {};\n", names.join(" ")));
        }
        Binding::Inherit(names) => {
            out.push_str("inherit\n");
            for name in names {
                indent(out, depth + 1);
                push(out, format_args!("{name}\n"));
            }
            indent(out, depth + 1);
            out.push_str(";\n");
        }
        Binding::Set(name, value) => {
            push(out, format_args!("{name} ="));
            match value {
                Expression::ListOf(items) if !items.is_empty() => {
                    out.push('\n');
                    indent(out, depth + 1);
                    expression(out, depth + 1, value);
                }
                _ => {
                    out.push(' ');
                    expression(out, depth, value);
                }
            }
            out.push_str(";\n");
        }
    }
}

fn list(out: &mut String, depth: usize, items: &[(String, Expression)]) {
    if items.is_empty() {
        out.push_str("[ ]");
        return;
    }
    out.push_str("let\n");
    for (name, value) in items {
        indent(out, depth + 1);
        push(out, format_args!("{name} = "));
        expression(out, depth + 1, value);
        out.push_str(";\n");
    }
    indent(out, depth);
    out.push_str("in\n");
    indent(out, depth);
    if let [(only, _)] = items {
        push(out, format_args!("[ {only} ]"));
        return;
    }
    out.push_str("[\n");
    for (name, _) in items {
        indent(out, depth + 1);
        push(out, format_args!("{name}\n"));
    }
    indent(out, depth);
    out.push(']');
}

/// Renders a list of strings. nixfmt keeps a list on the line if it has only one item and the item fits.
fn texts(out: &mut String, depth: usize, items: &[String]) {
    if let [only] = items {
        let list = format!("[ {} ]", string(only));
        let line = out.rsplit('\n').next().unwrap_or_default();
        if line.chars().count() + list.chars().count() < WIDTH {
            return out.push_str(&list);
        }
    }
    out.push_str("[\n");
    for item in items {
        indent(out, depth + 1);
        push(out, format_args!("{}\n", string(item)));
    }
    indent(out, depth);
    out.push(']');
}

/// Returns an ordinary string literal.
fn string(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('"');
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' => literal.push_str("\\\""),
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            '$' if characters.peek() == Some(&'{') => literal.push_str("\\$"),
            _ => literal.push(character),
        }
    }
    literal.push('"');
    literal
}

/// Returns the text as an indented string literal for a binding at `depth`. Returns `None` if the literal would not
/// denote exactly the text, or if an editor or nixfmt would change it.
fn indented_string(text: &str, depth: usize) -> Option<String> {
    let lines: Vec<&str> = text.split('\n').collect();
    let ends_in_newline = lines.len() > 1 && text.ends_with('\n');
    let content = match lines.split_last() {
        Some((_, content)) if ends_in_newline => content,
        _ => &lines,
    };
    // nixfmt turns a single line without escapes into an ordinary string.
    let worthwhile = lines.len() > 1 || text.contains(['"', '\\']);
    // Nix removes the indentation that all lines share, so the text must not start with spaces.
    let starts_at_the_margin = text.starts_with(|character: char| !character.is_whitespace());
    let survives = content
        .iter()
        .all(|line| !line.ends_with(char::is_whitespace) && !line.contains(char::is_control))
        && content.last().is_some_and(|line| !line.is_empty());
    if !worthwhile || !starts_at_the_margin || !survives || has_awkward_quote(text) {
        return None;
    }
    let mut literal = String::with_capacity(text.len() + text.len() / 4);
    literal.push_str("''");
    if let [only] = lines.as_slice() {
        literal.push_str(&only.replace("${", "''${"));
    } else {
        for line in content {
            literal.push('\n');
            if !line.is_empty() {
                indent(&mut literal, depth + 1);
                literal.push_str(&line.replace("${", "''${"));
            }
        }
        if ends_in_newline {
            literal.push('\n');
            indent(&mut literal, depth);
        }
    }
    literal.push_str("''");
    Some(literal)
}

/// Returns whether a quote would begin or end an escape of indented strings.
fn has_awkward_quote(text: &str) -> bool {
    text.ends_with('\'') || text.contains("''") || text.contains("'$")
}

fn indent(out: &mut String, depth: usize) {
    for _ in 0..depth {
        out.push_str("  ");
    }
}

fn push(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = out.write_fmt(arguments);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Returns the text that a literal denotes by the rules of the Nix manual. Tests with real Nix check the same.
    fn denotes(literal: &str) -> String {
        if let Some(body) = literal.strip_prefix('"') {
            let mut text = String::new();
            let mut characters = body.strip_suffix('"').unwrap().chars();
            while let Some(character) = characters.next() {
                text.push(match character {
                    '\\' => match characters.next().unwrap() {
                        'n' => '\n',
                        'r' => '\r',
                        't' => '\t',
                        other => other,
                    },
                    other => other,
                });
            }
            return text;
        }
        let body = literal.strip_prefix("''").unwrap();
        let body = body.strip_suffix("''").unwrap();
        let body = body.strip_prefix('\n').unwrap_or(body);
        let lines: Vec<&str> = body.split('\n').collect();
        let margin = lines
            .iter()
            .filter(|line| !line.trim_matches(' ').is_empty())
            .map(|line| line.len() - line.trim_start_matches(' ').len())
            .min()
            .unwrap_or(0);
        let stripped: Vec<&str> = lines
            .iter()
            .map(|line| {
                if line.trim_matches(' ').is_empty() {
                    ""
                } else {
                    &line[margin..]
                }
            })
            .collect();
        stripped.join("\n").replace("''${", "${")
    }

    fn literal_of(text: &str) -> String {
        let mut out = String::new();
        expression(&mut out, 1, &Expression::Document(text.to_owned()));
        out
    }

    fn assert_formatted(text: &str) {
        let nix = function(
            &["f"],
            &Expression::Call {
                function: "f",
                recursive: false,
                bindings: vec![
                    Binding::Set("a", Expression::Text(text.to_owned())),
                    Binding::Set("b", Expression::Document(text.to_owned())),
                ],
            },
        );
        assert_eq!(nixfmt_rs::format(&nix).unwrap(), nix, "{text:?}");
    }

    #[test]
    fn documents_are_indented_strings_where_these_are_exact_and_readable() {
        for (text, indented) in [
            ("{\n  \"a\": 1\n}", true),
            ("{\n  \"a\": 1\n}\n", true),
            ("{\n\n\"a\": 1\n}\n", true),
            ("{\"a\":\"it's $5 or ${x} or $${y} or \\u0000\"}", true),
            ("{}", false),
            ("{}\n", true),
            ("", false),
            ("\n", false),
            ("\n{}", false),
            (" {}", false),
            ("  {\n  }", false),
            ("{}\n\n", false),
            ("{\n   \n}", false),
            ("{ \n}", false),
            ("{\n} ", false),
            ("{\t}", false),
            ("{\r\n}\r\n", false),
            ("{\u{1b}}", false),
            ("{\u{85}}", false),
            ("{''}", false),
            ("{'${x}}", false),
            ("{'", false),
        ] {
            let literal = literal_of(text);
            assert_eq!(literal.starts_with("''"), indented, "{text:?}");
            assert_eq!(denotes(&literal), text);
            assert_formatted(text);
        }
    }

    proptest! {
        #[test]
        fn every_document_keeps_its_text_and_the_layout(
            text in "([{}\"'$\\\\ \n\na]|\\$\\{|''|\t|\r|é|  |\n  ){0,30}",
        ) {
            prop_assert_eq!(denotes(&literal_of(&text)), &text[..]);
            assert_formatted(&text);
        }
    }
}
