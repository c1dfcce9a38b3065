//! Text inside of HTML.

use std::fmt;

use crate::printable::Printable;

/// A text that is shown literally: printable, and with HTML's own characters escaped. It can stand between tags and
/// inside of a quoted attribute.
pub(super) struct Text(Printable);

impl Text {
    pub(super) fn new(text: impl fmt::Display) -> Self {
        Self(Printable::new(&text.to_string()))
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.as_str().chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                character => fmt::Write::write_char(f, character)?,
            }
        }
        Ok(())
    }
}

/// Returns an attribute with a leading space.
pub(super) fn attribute(name: &str, value: impl fmt::Display) -> String {
    format!(" {name}=\"{}\"", Text::new(value))
}

#[cfg(test)]
mod tests {
    use super::Text;

    #[test]
    fn text_leaves_neither_its_element_nor_its_attribute() {
        assert_eq!(
            Text::new("<script>\"'&\n\u{202e}").to_string(),
            "&lt;script&gt;&quot;&#39;&amp;\\n\\u{202e}"
        );
    }
}
