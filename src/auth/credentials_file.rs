//! The classic credentials file: `KEY=value` lines. The classic program wrote `USERNAME`, `PASSWORD` and
//! `BEARER_TOKEN`; nixpkgs' old fetchers `DOCKER_USER`, `DOCKER_PASS` and `DOCKER_TOKEN`. A value is
//! everything after the first `=`, so a secret may contain more of them.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::Credentials;
use crate::secret::Secret;

const LIMIT: u64 = 64 << 10;

/// Reads credentials from a file.
pub fn read(path: &Path) -> Result<Credentials, Error> {
    let failed = |reason| Error {
        path: path.to_owned(),
        reason,
    };
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(LIMIT).read_to_string(&mut text))
        .map_err(|source| failed(Reason::Read(source)))?;
    parse(&text).map_err(failed)
}

fn parse(text: &str) -> Result<Credentials, Reason> {
    let (mut username, mut password, mut token) = (None, None, None);
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim_end_matches('\r');
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        // Never quote the line: it may hold a secret.
        let (key, value) = line.split_once('=').ok_or(Reason::Line { number })?;
        let slot = match key.trim() {
            "USERNAME" | "DOCKER_USER" => &mut username,
            "PASSWORD" | "DOCKER_PASS" => &mut password,
            "BEARER_TOKEN" | "DOCKER_TOKEN" => &mut token,
            _ => return Err(Reason::Line { number }),
        };
        *slot = Some(value.to_owned()).filter(|value| !value.is_empty());
    }
    match (username, password, token) {
        (None, None, Some(token)) => Ok(Credentials::Bearer(Secret::new(token))),
        (Some(username), Some(password), None) => Ok(Credentials::Basic {
            username,
            password: Secret::new(password),
        }),
        _ => Err(Reason::Incomplete),
    }
}

/// A file that holds no credentials.
#[derive(Debug, thiserror::Error)]
#[error("cannot take credentials from {}", path.display())]
pub struct Error {
    path: PathBuf,
    #[source]
    reason: Reason,
}

#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error(transparent)]
    Read(io::Error),
    #[error("line {number} is none of USERNAME=, PASSWORD= and BEARER_TOKEN=")]
    Line { number: usize },
    #[error("it needs either USERNAME= and PASSWORD= or BEARER_TOKEN=")]
    Incomplete,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_spellings_and_secrets_with_equals_signs() {
        let basic = Credentials::Basic {
            username: "me".to_owned(),
            password: Secret::new("a=b=="),
        };
        let bearer = Credentials::Bearer(Secret::new("t=="));
        for (text, expected) in [
            ("USERNAME=me\nPASSWORD=a=b==\n", &basic),
            ("DOCKER_PASS=a=b==\r\nDOCKER_USER=me", &basic),
            ("# a comment\n\nBEARER_TOKEN=t==\n", &bearer),
            ("DOCKER_TOKEN=t==\nDOCKER_USER=\nDOCKER_PASS=\n", &bearer),
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
            "USERNAME=me\nhunter2=x",
            "BEARER_TOKEN=",
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
