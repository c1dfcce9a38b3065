//! The classic credentials file: `KEY=value` lines. The classic program wrote `USERNAME`, `PASSWORD` and
//! `BEARER_TOKEN`; nixpkgs' old fetchers `DOCKER_USER`, `DOCKER_PASS` and `DOCKER_TOKEN`. A value is
//! everything after the first `=`, so a secret may contain more of them.

use super::Proof;
use crate::secret::Secret;

/// Reads the file's text.
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
            // The file may hold more than this program needs.
            _ => continue,
        };
        *slot = Some(value.to_owned()).filter(|value| !value.is_empty());
    }
    match (username, password, token) {
        // As nixpkgs' fetchers had it: the token is preferred.
        (_, _, Some(token)) => Ok(Proof::Bearer(Secret::new(token))),
        (Some(username), Some(password), None) => Ok(Proof::Basic {
            username,
            password: Secret::new(password),
        }),
        _ => Err(Error::Incomplete),
    }
}

/// A file that holds no credentials. What it holds is never quoted.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A line of another form.
    #[error("line {number} does not have the form KEY=value")]
    Line {
        /// The line's number, from 1.
        number: usize,
    },
    /// A part is missing, or there is one too many.
    #[error("the file needs USERNAME= and PASSWORD=, or BEARER_TOKEN=")]
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
