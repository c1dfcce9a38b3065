//! Lists and code spans.

use std::fmt::Write as _;

use crate::printable::Printable;

/// The most entries of one list.
const MOST: usize = 50;

/// The longest text inside of a code span, in characters.
const LONGEST: usize = 200;

/// Writes a list that a reader can open.
pub(super) fn details(text: &mut String, title: &str, lines: impl Iterator<Item = String>) {
    let _ = writeln!(text, "<details><summary>{title}</summary>\n");
    list(text, "", lines);
    text.push_str("\n</details>\n\n");
}

pub(super) fn list(text: &mut String, indentation: &str, mut lines: impl Iterator<Item = String>) {
    for line in lines.by_ref().take(MOST) {
        let _ = writeln!(text, "{indentation}- {}", line.trim_end());
    }
    let more = lines.count();
    if more > 0 {
        let _ = writeln!(text, "{indentation}- … and {more} more");
    }
}

pub(super) fn arrow(from: Option<&str>, to: Option<&str>) -> String {
    let shown = |text: Option<&str>| text.map_or_else(|| "none".to_owned(), code);
    format!("{} → {}", shown(from), shown(to))
}

/// Returns a text as a code span. The text is printable, in one line, and cannot end the span.
pub(super) fn code(text: &str) -> String {
    let text = Printable::at_most(LONGEST, text);
    let text = text.as_str();
    if text.trim().is_empty() {
        return "(empty)".to_owned();
    }
    let longest = text
        .split(|character| character != '`')
        .map(str::len)
        .max()
        .unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    // One space on each side is removed again, so the text may begin or end with a backtick.
    let space = if longest > 0 || text.starts_with(' ') || text.ends_with(' ') {
        " "
    } else {
        ""
    };
    format!("{fence}{space}{text}{space}{fence}")
}

#[cfg(test)]
mod tests {
    use super::code;

    #[test]
    fn a_code_span_holds_any_text() {
        for (text, expected) in [
            ("debian:12", "`debian:12`"),
            ("a`b", "`` a`b ``"),
            ("``", "``` `` ```"),
            ("<script>", "`<script>`"),
            ("a\n\n# b", "`a\\n\\n# b`"),
            ("](javascript:x)", "`](javascript:x)`"),
            ("\u{202e}x", "`\\u{202e}x`"),
            (" ", "(empty)"),
            ("", "(empty)"),
        ] {
            assert_eq!(code(text), expected);
        }
    }
}
