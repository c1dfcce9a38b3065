//! Docker's `config.json`, and the `auth.json` of podman and skopeo, which also has keys for parts of a registry. This
//! module finds the entry for a repository and the name of the credential helper. It does not run the helper. The
//! variable `DOCKER_AUTH_CONFIG` contains a part of the same format.
//!
//! Sources: github.com/docker/cli 28, `cli/config`; containers-auth.json(5).

mod scope;
mod variable;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::de::MapAccess;

use self::scope::{Scope, host_of};
use super::Proof;
use crate::go_json::{self, Fields, Object, entries, text};
use crate::name::{RegistryName, Repository, docker_hub};
use crate::secret::Secret;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Returns the key under which docker stores a registry's credentials, in its file and in credential helpers.
#[must_use]
pub fn docker_key(registry: &RegistryName) -> &str {
    if registry.is_docker_hub() {
        docker_hub::CREDENTIALS_KEY
    } else {
        registry.as_str()
    }
}

/// The credentials in such a file. All other fields are ignored.
#[derive(Default)]
pub struct DockerConfig {
    auths: BTreeMap<String, Object<Entry>>,
    cred_helpers: BTreeMap<String, String>,
    creds_store: String,
}

impl Fields for DockerConfig {
    fn take<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
        match name {
            "auths" => entries(&mut self.auths, map),
            "credhelpers" => entries(&mut self.cred_helpers, map),
            "credsstore" => text(&mut self.creds_store, map),
            _ => Ok(false),
        }
    }
}

#[derive(Default)]
struct Entry {
    auth: String,
    username: String,
    password: String,
    identity_token: String,
    registry_token: String,
}

impl Fields for Entry {
    fn take<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
        match name {
            "auth" => text(&mut self.auth, map),
            "username" => text(&mut self.username, map),
            "password" => text(&mut self.password, map),
            "identitytoken" => text(&mut self.identity_token, map),
            "registrytoken" => text(&mut self.registry_token, map),
            _ => Ok(false),
        }
    }
}

impl DockerConfig {
    /// Parses the text of a file. An empty file contains no credentials.
    pub fn parse(text: &str) -> Result<Self, Error> {
        go_json::first(text)
            .map(Option::unwrap_or_default)
            .map_err(|error| Error::Json {
                // The parser's message could quote a secret.
                wrong: if error.is_data() {
                    "does not have the form of docker's configuration"
                } else {
                    "is not JSON"
                },
                line: error.line(),
                column: error.column(),
            })
    }

    /// Returns the name of the credential helper for a registry: its own in `credHelpers`, else `credsStore`.
    #[must_use]
    pub fn helper(&self, registry: &RegistryName) -> Option<&str> {
        let host = host_of(registry.as_str());
        let is_own = |key: &str| {
            let scope = Scope::of(key);
            scope.path.is_empty() && scope.host == host
        };
        let helpers = &self.cred_helpers;
        // Docker's own spelling of the key is preferred.
        let own = helpers.get(docker_key(registry)).or_else(|| {
            helpers
                .iter()
                .find_map(|(key, own)| is_own(key).then_some(own))
        });
        // An empty name means that the registry has no helper.
        Some(own.unwrap_or(&self.creds_store).as_str()).filter(|helper| !helper.is_empty())
    }

    /// Returns the credentials for a repository that the file itself contains. The longest matching key wins. Without a
    /// repository, only keys for the whole registry match.
    pub fn proof(
        &self,
        registry: &RegistryName,
        repository: Option<&Repository>,
    ) -> Result<Option<Proof>, Error> {
        let host = host_of(registry.as_str());
        let mut matching: Vec<_> = self
            .auths
            .iter()
            .map(|(key, Object(entry))| (Scope::of(key), key, entry))
            .filter(|(scope, ..)| scope.host == host && scope.holds(repository))
            .collect();
        // Docker's own spelling of the key is preferred.
        matching.sort_by_key(|(scope, key, _)| {
            (Reverse(scope.path.len()), *key != docker_key(registry))
        });
        // Docker writes an empty entry if a helper stores the secret.
        for (_, _, entry) in matching {
            if let Some(proof) = entry.proof()? {
                return Ok(Some(proof));
            }
        }
        Ok(None)
    }
}

impl Entry {
    fn proof(&self) -> Result<Option<Proof>, Error> {
        if !self.registry_token.is_empty() {
            return Ok(Some(Proof::Bearer(Secret::new(&*self.registry_token))));
        }
        if !self.identity_token.is_empty() {
            return Ok(Some(Proof::Identity(Secret::new(&*self.identity_token))));
        }
        let (username, password) = if self.auth.is_empty() {
            (self.username.clone(), Secret::new(&*self.password))
        } else {
            decode(&self.auth)?
        };
        // Docker sends a user name only with a password, and a password only with a user name.
        if username.is_empty() || password.is_empty() {
            return Ok(None);
        }
        Ok(Some(Proof::Basic { username, password }))
    }
}

/// Decodes `auth`: `name:password` in base64. Many tools wrap base64 after 76 characters.
fn decode(auth: &str) -> Result<(String, Secret), Error> {
    let auth = auth.trim().replace(['\r', '\n'], "");
    let bytes = BASE64.decode(auth).map_err(|_| Error::Auth)?;
    let text = String::from_utf8(bytes).map_err(|_| Error::Auth)?;
    match text.split_once(':') {
        Some((username, password)) if !username.is_empty() => Ok((
            username.to_owned(),
            // Old versions of docker added NUL characters.
            Secret::new(password.trim_matches('\0')),
        )),
        _ => Err(Error::Auth),
    }
}

/// A file that cannot be parsed. The messages quote nothing of it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The file is not JSON of this form.
    #[error("the file {wrong} (line {line}, column {column})")]
    Json {
        /// What is wrong, as a phrase with a verb.
        wrong: &'static str,
        /// The number of the line, from 1.
        line: usize,
        /// The number of the column, from 1.
        column: usize,
    },
    /// An entry's `auth` is not a user name and password in base64.
    #[error("the registry's `auth` is not a user name and password in base64")]
    Auth,
    /// The value of the variable does not have the required form.
    #[error(
        "the value may contain only `auths`, each with an `auth`: a user name and password in base64"
    )]
    Variable,
}

#[cfg(test)]
mod tests;
