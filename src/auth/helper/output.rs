//! The output of a credential helper: credentials, or an error message. Credentials are never quoted. Of an error
//! message only the first line is quoted, without text that may be a secret.

use std::borrow::Cow;
use std::process::ExitStatus;

use serde::de::MapAccess;

use super::Error;
use crate::auth::Proof;
use crate::go_json::{self, Fields, text};
use crate::printable::Printable;
use crate::safe_url;
use crate::secret::Secret;

/// The maximum length of a quoted message, in characters.
const WORDS: usize = 300;

/// The output of a helper, with exit status 1, for a server without credentials.
const NOT_FOUND: &str = "credentials not found in native keychain";

/// The user name that marks the secret as an identity token.
const TOKEN_USERNAME: &str = "<token>";

/// Words in an error message after which `:` or `=` starts a secret value.
const BEFORE_VALUES: [&str; 8] = [
    "secret",
    "password",
    "passwd",
    "passphrase",
    "token",
    "key",
    "authorization",
    "username",
];

/// The exit status and the output of a helper.
pub(super) struct HelperOutput {
    pub(super) status: ExitStatus,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
}

#[derive(Default)]
struct StoredCredentials {
    username: String,
    secret: String,
}

impl Fields for StoredCredentials {
    fn take<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
        match name {
            "username" => text(&mut self.username, map),
            "secret" => text(&mut self.secret, map),
            _ => Ok(false),
        }
    }
}

impl HelperOutput {
    /// Parses the output. Returns `None` if the helper has no credentials for the server.
    pub(super) fn proof(&self, program: &str) -> Result<Option<Proof>, Error> {
        if !self.status.success() {
            if self.stdout.trim_ascii() == NOT_FOUND.as_bytes() {
                return Ok(None);
            }
            return Err(Error::Failed {
                program: program.to_owned(),
                status: self.status,
                message: message(&self.stdout).or_else(|| message(&self.stderr)),
            });
        }
        let answer = std::str::from_utf8(&self.stdout)
            .ok()
            .and_then(|text| go_json::first::<StoredCredentials>(text).ok()?);
        let Some(StoredCredentials { username, secret }) = answer else {
            return Err(Error::InvalidOutput {
                program: program.to_owned(),
            });
        };
        let secret = Secret::new(secret);
        Ok(match username.as_str() {
            // As in docker, `{}` and a user name without a secret mean no credentials.
            _ if secret.is_empty() => None,
            TOKEN_USERNAME => Some(Proof::Identity(secret)),
            _ => Some(Proof::Basic {
                username,
                password: secret,
            }),
        })
    }
}

/// Returns the first line of an error message. `None` if the text may contain credentials in JSON.
fn message(text: &[u8]) -> Option<Printable> {
    let text = std::str::from_utf8(text).ok()?;
    if text.contains(['{', '}']) {
        return None;
    }
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    let line = without_value(line);
    let words: Vec<_> = line.split(' ').map(safe_url::shown).collect();
    Some(Printable::at_most(WORDS, &words.join(" ")))
}

/// Cuts a line before a value that may be a secret, as in `Secret: …` and `token=…`.
fn without_value(line: &str) -> Cow<'_, str> {
    let folded = line.to_ascii_lowercase();
    let end_of = |sign: &str| {
        folded.match_indices(sign).find_map(|(at, sign)| {
            let end = at + sign.len();
            let rest = folded.get(end..)?.trim_start_matches(['"', '\'', ' ']);
            rest.starts_with([':', '=']).then_some(end)
        })
    };
    match BEFORE_VALUES.into_iter().filter_map(end_of).min() {
        Some(end) => format!("{}…", line.get(..end).unwrap_or_default()).into(),
        None => line.into(),
    }
}
