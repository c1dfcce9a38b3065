//! Names of locked images. They are valid attribute names in Nix and never paths.

use std::fmt;
use std::str::FromStr;

use crate::name::{Reference, Tag};

/// The greatest length of a name in bytes.
const MAX_LENGTH: usize = 128;

/// The name of a locked image: lowercase letters, digits, `.`, `_` and `-`, beginning with a letter or digit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// Returns suggestions for the name of an image, the best first: the last part of its repository (`b` for
    /// `ghcr.io/a/b:1`), then longer names, which fewer other images have.
    #[must_use]
    pub fn candidates(reference: &Reference) -> Vec<Self> {
        let tag = reference.tag.as_ref().map(Tag::as_str);
        let digest = reference.digest.map(|digest| digest.short());
        let suffix = tag.or(digest.as_deref()).unwrap_or("latest");
        let (above, last) = reference.repository.split();
        let above = match above {
            // The official images of Docker Hub have no namespace.
            "library" if reference.registry.is_docker_hub() => "",
            above => above,
        };
        let path = [above, last].join("/");
        let everything = format!("{}/{path}/{suffix}", reference.registry);
        let candidates = [
            last.to_owned(),
            format!("{last}/{suffix}"),
            path.clone(),
            format!("{path}/{suffix}"),
            everything,
        ];
        candidates
            .iter()
            .filter_map(|text| Self::near(text))
            .collect()
    }

    /// Returns the text, with dashes instead of the characters that are not permitted.
    fn near(text: &str) -> Option<Self> {
        let text: String = text
            .chars()
            .map(|character| match character.to_ascii_lowercase() {
                character if is_letter(character) => character,
                _ => '-',
            })
            .take(MAX_LENGTH)
            .collect();
        text.trim_start_matches(['-', '.', '_']).parse().ok()
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_letter(character: char) -> bool {
    character.is_ascii_lowercase() || character.is_ascii_digit() || "._-".contains(character)
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let begins_well = text.starts_with(|first: char| first.is_ascii_alphanumeric());
        if begins_well && text.len() <= MAX_LENGTH && text.chars().all(is_letter) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError(text.chars().take(MAX_LENGTH).collect()))
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is not a valid name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a valid name: expected lowercase letters, digits, `.`, `_` and `-`, at most {MAX_LENGTH}, the first a \
     letter or digit"
)]
pub struct NameError(String);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_last_part_of_the_repository_is_the_first_suggestion() {
        for (reference, names) in [
            (
                "debian:12",
                &[
                    "debian",
                    "debian-12",
                    "debian",
                    "debian-12",
                    "docker.io--debian-12",
                ][..],
            ),
            (
                "ghcr.io/a/b",
                &["b", "b-latest", "a-b", "a-b-latest", "ghcr.io-a-b-latest"],
            ),
            (
                "localhost:5000/team/app:V1",
                &[
                    "app",
                    "app-v1",
                    "team-app",
                    "team-app-v1",
                    "localhost-5000-team-app-v1",
                ],
            ),
        ] {
            let candidates = Name::candidates(&reference.parse().unwrap());
            let candidates: Vec<_> = candidates.iter().map(Name::as_str).collect();
            assert_eq!(candidates, names, "{reference}");
        }
    }

    #[test]
    fn refuses_texts_that_could_be_paths_or_options() {
        for text in [
            "", ".", "..", "a/b", "-x", "_x", "A", "a b", "a\n", "é", "a\"b", "${a}", "a\\b",
        ] {
            assert!(text.parse::<Name>().is_err(), "{text:?}");
        }
        assert!("x".repeat(MAX_LENGTH).parse::<Name>().is_ok());
        assert!("x".repeat(MAX_LENGTH + 1).parse::<Name>().is_err());
    }

    proptest! {
        #[test]
        fn every_reference_has_a_name(
            registry in "([a-z]{1,5}\\.[a-z]{2,3}(:[1-9][0-9]{0,3})?/)?",
            path in "[a-z0-9]{1,90}(/[a-z0-9]{1,5}){0,3}",
            tag in "(:[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127})?",
        ) {
            let reference = format!("{registry}{path}{tag}").parse().unwrap();
            prop_assert_eq!(Name::candidates(&reference).len(), 5);
        }
    }
}
