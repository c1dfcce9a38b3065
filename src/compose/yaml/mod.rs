//! The YAML of Compose files: mappings, sequences and scalars with their original text. Aliases and merge keys are
//! resolved. An alias is a reference and never a copy, so a small file cannot become a large tree.
//!
//! Sources: YAML 1.2; the merge key of YAML 1.1, `http://yaml.org/type/merge.html`.

mod error;
mod loader;
mod node;

use std::sync::Arc;

use granit_parser::Parser;

pub use self::error::YamlError;
pub(super) use self::node::{Change, Node};

use self::loader::Loader;

/// The size limit of a file in bytes (4 MiB).
pub const MAX_FILE_SIZE: usize = 4 << 20;

/// The merge key.
const MERGE: &str = "<<";

/// The greatest number of nodes of a file. The largest real files have some ten thousand. Each node needs more memory
/// than its text.
const MAX_NODES: usize = 250_000;

/// Parses the documents of a file.
pub(super) fn parse(text: &str) -> Result<Vec<Arc<Node>>, YamlError> {
    if text.len() > MAX_FILE_SIZE {
        return Err(YamlError::TooLarge);
    }
    let mut loader = Loader::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| YamlError::of(&error))?;
        loader.take(event, span.start.line())?;
    }
    Ok(loader.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn own_entries_take_precedence_and_then_those_merged_first() {
        let text = "a: &a {x: 1, y: 1}\nb: &b {<<: *a, y: 2, z: 2}\nc: {z: 3, <<: [*b, *a]}\n";
        let documents = parse(text).unwrap();
        let mapping = documents[0].get("c").unwrap();
        for (key, value) in [("x", "1"), ("y", "2"), ("z", "3")] {
            assert_eq!(mapping.get(key).unwrap().text(), Some(value), "{key}");
        }
    }

    #[test]
    fn scalars_keep_their_text() {
        let documents = parse("a: 1.10\nb: 0o17\nc: ~\nd: '~'\ne:\nf: !reset x\n").unwrap();
        for (key, text) in [
            ("a", Some("1.10")),
            ("b", Some("0o17")),
            ("c", None),
            ("d", Some("~")),
            ("e", None),
            ("f", None),
        ] {
            assert_eq!(documents[0].get(key).unwrap().text(), text, "{key}");
        }
    }

    #[test]
    fn flow_collections_may_end_in_the_column_of_their_key() {
        for text in [
            "s:\n  a:\n    b: [\n  x, y\n    ]\n    c: 1\n",
            "s:\n  a: {b: [x,\n  y], c: 1}\n",
            "s:\n  a:\n    b: {\n      x: 1\n    }\n    c: 1\n",
        ] {
            let documents = parse(text).unwrap();
            let a = documents[0].get("s").unwrap().get("a").unwrap();
            assert!(a.get("c").is_some(), "{text}");
        }
    }

    #[test]
    fn documents_are_read_one_by_one() {
        for (text, count) in [("", 0), ("a: 1", 1), ("a: 1\n---\nb: 2\n", 2)] {
            assert_eq!(parse(text).unwrap().len(), count, "{text}");
        }
    }

    #[test]
    fn bombs_are_refused() {
        use std::fmt::Write as _;
        let mut laughs = "a0: &a0 [x, x]\n".to_owned();
        let mut merges = "a0: &a0 {x: 1}\n".to_owned();
        let mut wide = "a0: &a0 {".to_owned();
        for number in 1..90 {
            let before = number - 1;
            writeln!(laughs, "a{number}: &a{number} [*a{before}, *a{before}]").unwrap();
            writeln!(
                merges,
                "a{number}: &a{number} {{<<: [*a{before}, *a{before}]}}"
            )
            .unwrap();
        }
        for number in 0..2000 {
            write!(wide, "k{number}: 1, ").unwrap();
        }
        wide.push_str("}\n");
        for number in 1..2000 {
            writeln!(wide, "a{number}: {{<<: *a0}}").unwrap();
        }
        assert!(parse(&laughs).is_ok());
        for number in 90..200 {
            writeln!(laughs, "a{number}: [*a{}]", 89).unwrap();
            writeln!(laughs, "b{number}: &a{number} [*a{}]", number - 1).unwrap();
        }
        assert!(parse(&merges).is_ok());
        assert!(matches!(parse(&wide), Err(YamlError::TooMuch(_))));
        let many = format!("a: [{}]", "x,".repeat(300_000));
        assert!(matches!(parse(&many), Err(YamlError::TooMany(_))));
        for deep in [
            "[".repeat(100_000),
            "{a: ".repeat(100_000),
            "- ".repeat(100_000),
            laughs,
        ] {
            assert!(parse(&deep).is_err());
        }
        assert!(matches!(
            parse("a: &a [*a]"),
            Err(YamlError::Alias(_) | YamlError::Syntax { .. })
        ));
    }

    #[test]
    fn keys_that_occur_twice_are_refused() {
        assert!(matches!(
            parse("a: 1\na: 2\n"),
            Err(YamlError::Twice { .. })
        ));
        assert!(matches!(parse("a: {<<: 1}"), Err(YamlError::Merge(_))));
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused_without_a_panic(text in "([a-z&*<:{}\\[\\]!|>'\"#%@,?\n -]|\\PC){0,80}") {
            let _ = parse(&text);
        }
    }
}
