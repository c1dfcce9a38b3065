//! Printable text: text from servers, images and files, made safe for a terminal, a journal, a build log, a table or a
//! picture. Control characters could move the cursor or forge a line, bidirectional characters change the order of the
//! text, and invisible characters hide parts of a name.
//!
//! Every constructor of [`Printable`] escapes such characters. So a function that takes a `Printable` cannot print raw
//! text.
//!
//! Sources: Unicode Standard Annex #9, section 2 (directional formatting); Unicode's property
//! `Default_Ignorable_Code_Point`; CVE-2021-42574 ("Trojan Source").

use std::fmt;

/// The maximum length of a line, in characters before escaping.
pub const MAX_LINE: usize = 2000;

/// One line of text without control, bidirectional or invisible characters: these are escaped as Rust writes them
/// (`\n`, `\u{1b}`, `\u{202e}`). The line has at most [`MAX_LINE`] characters before escaping; an ellipsis marks a cut.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Printable(String);

impl Printable {
    /// Makes a text printable.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self::at_most(MAX_LINE, text)
    }

    /// Makes at most `characters` characters of a text printable.
    #[must_use]
    pub fn at_most(characters: usize, text: &str) -> Self {
        let mut printable = String::with_capacity(text.len().min(characters));
        let mut rest = text.chars();
        for character in rest.by_ref().take(characters) {
            match character {
                '\n' | '\r' | '\t' => printable.extend(character.escape_default()),
                _ if is_printable(character) => printable.push(character),
                _ => printable.extend(character.escape_unicode()),
            }
        }
        if rest.next().is_some() {
            printable.push('…');
        }
        Self(printable)
    }

    /// Makes a text of any length printable, for texts whose length is limited elsewhere or whose end must not be lost.
    #[must_use]
    pub fn of_any_length(text: &str) -> Self {
        Self::at_most(usize::MAX, text)
    }

    /// Makes bytes printable that should be UTF-8. Invalid bytes become U+FFFD.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self::new(&String::from_utf8_lossy(bytes))
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Printable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Returns whether a character is visible and does not change the display of other characters.
#[must_use]
pub fn is_printable(character: char) -> bool {
    !character.is_control()
        && !matches!(
            character,
            // The soft hyphen, the grapheme joiner, the Arabic letter mark, fillers and inherent vowels.
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}'
                | '\u{ffa0}'
            // Mongolian separators and selectors.
            | '\u{180b}'..='\u{180f}'
            // Zero-width characters and directional marks; line and paragraph separators, embeddings, overrides;
            // invisible operators, isolates, deprecated format characters.
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            // Variation selectors, the byte order mark, annotations.
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{fff0}'..='\u{fffb}'
            // Shorthand and musical format controls, tags and further selectors.
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::{Printable, is_printable};
    use proptest::prelude::*;

    #[test]
    fn control_bidirectional_and_invisible_characters_are_shown_escaped() {
        for (text, shown) in [
            ("a\u{1b}[2Jb", r"a\u{1b}[2Jb"),
            ("a\r\n\tb", r"a\r\n\tb"),
            ("\u{0}\u{7f}\u{9b}", r"\u{0}\u{7f}\u{9b}"),
            ("user\u{202e}gpj.exe", r"user\u{202e}gpj.exe"),
            ("\u{2066}x\u{2069}", r"\u{2066}x\u{2069}"),
            ("ng\u{200b}inx", r"ng\u{200b}inx"),
            ("\u{feff}\u{2028}\u{2029}", r"\u{feff}\u{2028}\u{2029}"),
            ("\u{e0041}\u{ad}", r"\u{e0041}\u{ad}"),
            ("größe 漢字 עברית 🐳 \\n", "größe 漢字 עברית 🐳 \\n"),
        ] {
            assert_eq!(Printable::new(text).as_str(), shown);
        }
    }

    #[test]
    fn a_line_has_an_end() {
        let long = "x".repeat(5000);
        assert_eq!(Printable::new(&long).as_str().chars().count(), 2001);
        assert_eq!(Printable::at_most(3, "abcd").as_str(), "abc…");
        assert_eq!(Printable::at_most(3, "abc").as_str(), "abc");
    }

    proptest! {
        #[test]
        fn nothing_unprintable_is_left_of_any_text(bytes: Vec<u8>, text in "\\PC*") {
            prop_assert!(Printable::of_bytes(&bytes).as_str().chars().all(is_printable));
            prop_assert!(Printable::new(&text).as_str().chars().all(is_printable));
        }
    }
}
