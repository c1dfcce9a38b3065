//! Challenges: the `WWW-Authenticate` header of a 401.
//!
//! Source: RFC 9110, section 11.6.1. Registries differ from it: schemes in uppercase (Nexus), unquoted values, missing
//! commas, several challenges in one header. The parser accepts all of these.

use std::fmt;

use crate::safe_url;

/// One authentication scheme that a server offers, with its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The scheme in lowercase: `basic`, `bearer`.
    pub scheme: String,
    parameters: Vec<(String, String)>,
}

impl Challenge {
    /// Returns the first value of a parameter, if it is not empty.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }
}

/// The form of the header, without the secret parts of a realm's URL.
impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.scheme)?;
        for (name, value) in &self.parameters {
            write!(f, " {name}={:?}", safe_url::shown(value))?;
        }
        Ok(())
    }
}

/// Parses all challenges in the value of a header. Ignores invalid parts.
#[must_use]
pub fn parse(header: &str) -> Vec<Challenge> {
    let mut challenges: Vec<Challenge> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        if rest.is_empty() {
            return challenges;
        }
        let word;
        (word, rest) = split_at(rest, |c| c.is_whitespace() || matches!(c, ',' | '=' | '"'));
        if word.is_empty() {
            // Skip a `=` or quote without a name before it.
            rest = rest.get(1..).unwrap_or_default();
            continue;
        }
        match (challenges.last_mut(), rest.trim_start().strip_prefix('=')) {
            (Some(challenge), Some(after)) => {
                let value;
                (value, rest) = value_of(after.trim_start());
                challenge
                    .parameters
                    .push((word.to_ascii_lowercase(), value));
            }
            _ => challenges.push(Challenge {
                scheme: word.to_ascii_lowercase(),
                parameters: Vec::new(),
            }),
        }
    }
}

/// Splits a quoted or bare value from the rest of the text.
fn value_of(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = split_at(text, |c| c.is_whitespace() || c == ',');
        return (value.to_owned(), rest);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, quoted.get(at + 1..).unwrap_or_default()),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    (value, "")
}

fn split_at(text: &str, is_end: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(is_end).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Returns one line per challenge: the scheme, then `[name]=[value]` for each parameter.
    fn read(header: &str) -> Vec<String> {
        parse(header)
            .into_iter()
            .map(|challenge| {
                challenge
                    .parameters
                    .iter()
                    .fold(challenge.scheme.clone(), |line, (name, value)| {
                        format!("{line} [{name}]=[{value}]")
                    })
            })
            .collect()
    }

    #[test]
    fn reads_what_registries_send() {
        for (header, challenges) in [
            (
                r#"Bearer realm="https://t/token",service="r",scope="repository:a/b:pull,push""#,
                &[
                    "bearer [realm]=[https://t/token] [service]=[r] [scope]=[repository:a/b:pull,push]",
                ] as &[&str],
            ),
            (
                r#"BASIC realm="Sonatype Nexus""#,
                &["basic [realm]=[Sonatype Nexus]"],
            ),
            (
                r#"Basic realm="x", Bearer realm="https://t/token" service=y"#,
                &[
                    "basic [realm]=[x]",
                    "bearer [realm]=[https://t/token] [service]=[y]",
                ],
            ),
            (
                "Bearer Realm=https://t/token?a=b, service = y",
                &["bearer [realm]=[https://t/token?a=b] [service]=[y]"],
            ),
            (
                r#"Bearer realm="a \"b\" c""#,
                &[r#"bearer [realm]=[a "b" c]"#],
            ),
            ("Negotiate", &["negotiate"]),
            ("", &[]),
        ] {
            assert_eq!(read(header), challenges, "{header}");
        }
    }

    proptest! {
        #[test]
        fn any_header_is_read_without_a_panic(header in "[ -~é=\",\\\\]{0,60}") {
            let _ = parse(&header);
        }
    }
}
