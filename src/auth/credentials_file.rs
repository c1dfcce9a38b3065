//! The classic credentials file: lines of the form `KEY=value`. The keys of the classic program are `USERNAME`,
//! `PASSWORD` and `BEARER_TOKEN`; those of nixpkgs' old fetchers are `DOCKER_USER`, `DOCKER_PASS` and `DOCKER_TOKEN`. A
//! value is everything after the first `=`, so a secret may contain `=`.

use super::Proof;
use crate::secret::Secret;

/// Parses the text of the file.
pub fn parse(text: &str) -> Result<Proof, Error> {
    let (mut username, mut password, mut token) = (None, None, None);
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim_end_matches('\r');
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        // Never quote the line: it may hold a secret.
        let (key, value) = line.split_once('=').ok_or(Error::Line { number })?;
        let slot = match key.trim() {
            "USERNAME" | "DOCKER_USER" => &mut username,
            "PASSWORD" | "DOCKER_PASS" => &mut password,
            "BEARER_TOKEN" | "DOCKER_TOKEN" => &mut token,
            // The file may contain other variables.
            _ => continue,
        };
        *slot = Some(value.to_owned()).filter(|value| !value.is_empty());
    }
    match (username, password, token) {
        // nixpkgs' fetchers prefer the token too.
        (_, _, Some(token)) => Ok(Proof::Bearer(Secret::new(token))),
        (Some(username), Some(password), None) => Ok(Proof::Basic {
            username,
            password: Secret::new(password),
        }),
        _ => Err(Error::Incomplete),
    }
}

/// A file without valid credentials. The messages quote nothing of it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A line does not have the form `KEY=value`.
    #[error("line {number} does not have the form KEY=value")]
    Line {
        /// The line's number, from 1.
        number: usize,
    },
    /// The file contains neither a token nor a user name with a password.
    #[error("the file must contain the lines USERNAME= and PASSWORD=, or a line BEARER_TOKEN=")]
    Incomplete,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_both_spellings_and_secrets_with_equals_signs() {
        let basic = Proof::Basic {
            username: "me".to_owned(),
            password: Secret::new("a=b=="),
        };
        let bearer = Proof::Bearer(Secret::new("t=="));
        for (text, expected) in [
            ("USERNAME=me\nPASSWORD=a=b==\n", &basic),
            ("DOCKER_PASS=a=b==\r\nDOCKER_USER=me", &basic),
            ("# a comment\n\nBEARER_TOKEN=t==\n", &bearer),
            ("DOCKER_TOKEN=t==\nDOCKER_USER=\nDOCKER_PASS=\n", &bearer),
            ("DOCKER_USER=me\nDOCKER_PASS=p\nDOCKER_TOKEN=t==\n", &bearer),
            ("DOCKER_REGISTRY=x\nUSERNAME=me\nPASSWORD=a=b==\n", &basic),
        ] {
            assert_eq!(parse(text).unwrap(), *expected, "{text:?}");
        }
    }

    #[test]
    fn says_which_line_is_wrong_without_showing_it() {
        for text in [
            "",
            "USERNAME=me",
            "hunter2",
            "USERNAME=me\nhunter2",
            "BEARER_TOKEN=",
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in "([=\r\n#é ]|USERNAME|PASSWORD){0,16}") {
            let _ = parse(&text);
        }
    }
}
