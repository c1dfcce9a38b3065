//! Variables, and which of them are secret. Names of images are sent to registries, so no secret may become part of
//! them.

use std::collections::{BTreeMap, BTreeSet};

use super::InterpolationError;

/// The greatest number of bytes that all variables of a project may produce.
const MAX_PRODUCED: usize = 2 << 20;

/// Looks up a variable. An empty variable is set.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<Value>;

/// Variables by name.
pub type Variables = BTreeMap<String, Value>;

/// A text, which may contain values of variables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Value {
    /// The text.
    pub text: String,
    /// A variable in the text that looks like a secret.
    pub secret: Option<String>,
}

impl Value {
    /// Creates the value of the variable `name`.
    #[must_use]
    pub fn of(name: &str, text: String) -> Self {
        let secret = is_secret(name).then(|| name.to_owned());
        Self { text, secret }
    }

    /// Appends another value.
    pub(super) fn push(&mut self, other: Self) {
        self.text.push_str(&other.text);
        self.secret = self.secret.take().or(other.secret);
    }
}

/// The state of the replacement of variables.
#[derive(Debug)]
pub(super) struct ReplacementState {
    /// The number of bytes that may still be produced.
    left: usize,
    /// The variables that are not set and have no default.
    pub(super) unset: BTreeSet<String>,
}

impl ReplacementState {
    pub(super) fn new() -> Self {
        Self {
            left: MAX_PRODUCED,
            unset: BTreeSet::new(),
        }
    }

    /// Looks up a variable, and counts the bytes of its value.
    pub(super) fn value(
        &mut self,
        name: &str,
        variables: Lookup<'_>,
    ) -> Result<Option<Value>, InterpolationError> {
        let value = variables(name);
        self.count_bytes(value.as_ref().map_or(0, |value| value.text.len()))?;
        Ok(value)
    }

    /// Counts bytes of output. Fails if the limit is reached.
    pub(super) fn count_bytes(&mut self, bytes: usize) -> Result<(), InterpolationError> {
        let left = self.left.checked_sub(bytes);
        self.left = left.ok_or(InterpolationError::TooMuch)?;
        Ok(())
    }
}

/// Words in the name of a variable that make it secret.
const SECRET: &[&str] = &[
    "AUTH",
    "CREDENTIAL",
    "CREDENTIALS",
    "KEY",
    "KEYS",
    "PASS",
    "PASSPHRASE",
    "PASSWD",
    "PASSWORD",
    "PASSWORDS",
    "PW",
    "PWD",
    "SECRET",
    "SECRETS",
    "TOKEN",
    "TOKENS",
];
/// Endings of words that make a variable secret.
const SECRET_ENDS: &[&str] = &["APIKEY", "PASSWD", "PASSWORD", "SECRET", "TOKEN"];
/// Last words of a name that make a variable public after all: `TOKEN_SERVICE_TAG`.
const PUBLIC_LAST: &[&str] = &[
    "ARCH",
    "DIGEST",
    "DIR",
    "HOST",
    "IMAGE",
    "NAME",
    "PLATFORM",
    "PORT",
    "PREFIX",
    "REGISTRY",
    "REPO",
    "REPOSITORY",
    "TAG",
    "VARIANT",
    "VERSION",
];

/// Returns whether a variable looks like a secret. `PWD` alone is the shell's working directory.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let words: Vec<&str> = name.split(|c: char| !c.is_alphanumeric()).collect();
    if name == "PWD" || name == "OLDPWD" {
        return false;
    }
    if name == "DOCKER_AUTH_CONFIG" {
        return true;
    }
    if words.last().is_some_and(|last| PUBLIC_LAST.contains(last)) {
        return false;
    }
    // `PASSWORD2` is secret, too.
    let mut words = words
        .iter()
        .map(|word| word.trim_end_matches(|c: char| c.is_ascii_digit()));
    words.any(|word| SECRET.contains(&word) || SECRET_ENDS.iter().any(|end| word.ends_with(end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_variable_determines_whether_it_is_secret() {
        for secret in [
            "DB_PASSWORD",
            "db.password",
            "MYSQLPASSWORD",
            "PASSWORD2",
            "PGPASS_PW",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_ACCESS_KEY_ID",
            "GITHUB_TOKEN",
            "DOCKER_PASS",
            "DOCKER_AUTH_CONFIG",
            "REGISTRY_AUTH",
            "OPENAI_APIKEY",
            "secret-key-base",
            "DB_PWD",
        ] {
            assert!(is_secret(secret), "{secret}");
        }
        for public in [
            "TAG",
            "AWS_ACCOUNT_ID",
            "AWS_REGION",
            "KEYCLOAK_VERSION",
            "TOKEN_SERVICE_TAG",
            "VAULT_SECRETS_IMAGE",
            "PASSBOLT_TAG",
            "COMPOSE_PROJECT_NAME",
            "PWD",
            "",
        ] {
            assert!(!is_secret(public), "{public}");
        }
    }
}
