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
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn find(text: &str, registry: &str, repository: &str) -> Option<String> {
        DockerConfig::parse(text)
            .unwrap()
            .proof(
                &registry.parse().unwrap(),
                Some(&repository.parse().unwrap()),
            )
            .unwrap()
            .map(|proof| match proof {
                Proof::Basic { username, password } => format!("{username}:{}", password.expose()),
                Proof::Bearer(token) => format!("bearer {}", token.expose()),
                Proof::Identity(token) => format!("identity {}", token.expose()),
            })
    }

    #[test]
    fn reads_each_kind_of_entry() {
        for (entry, expected) in [
            (r#"{"auth":"YW5uOnNlY3JldA=="}"#, Some("ann:secret")),
            // Without padding; wrapped; with bits to spare; a password with colons, and one padded with NUL.
            (r#"{"auth":"YW5uOnNlY3JldA"}"#, Some("ann:secret")),
            (r#"{"auth":"YW5uOnNl\r\nY3Jl\ndA==\n"}"#, Some("ann:secret")),
            (r#"{"auth":"YW5uOnNlY3JldB=="}"#, Some("ann:secret")),
            (r#"{"auth":"YW5uOmE6Yjpj"}"#, Some("ann:a:b:c")),
            (r#"{"auth":"YW5uOngAAA=="}"#, Some("ann:x")),
            // Without a password, as docker writes it with an identity token.
            (r#"{"auth":"YW5uOg=="}"#, None),
            (r#"{"auth":"YW5uOg==","password":"secret"}"#, None),
            (
                r#"{"username":"ann","password":"secret"}"#,
                Some("ann:secret"),
            ),
            (
                r#"{"auth":"YW5uOg==","identitytoken":"i"}"#,
                Some("identity i"),
            ),
            (
                r#"{"auth":"YW5uOng=","identitytoken":"","registrytoken":"r"}"#,
                Some("bearer r"),
            ),
            (r#"{"auth":"","email":"ann@example.com"}"#, None),
            (r#"{"username":"ann"}"#, None),
            ("{}", None),
            ("null", None),
        ] {
            let text = format!(r#"{{"auths":{{"r.example":{entry}}},"psFormat":"x"}}"#);
            assert_eq!(
                find(&text, "r.example", "a").as_deref(),
                expected,
                "{entry}"
            );
        }
    }

    #[test]
    fn the_longest_key_that_holds_the_repository_wins() {
        let text = r#"{"auths":{
            "r.example": {"username": "host", "password": "x"},
            "r.example/team": {"username": "team", "password": "x"},
            "r.example/team/app": {"username": "app", "password": "x"},
            "r.example/team/empty": {},
            "docker.io/library": {"username": "library", "password": "x"}
        }}"#;
        for (registry, repository, user) in [
            ("r.example", "team/app", Some("app:x")),
            ("r.example", "team/app/deep", Some("app:x")),
            ("r.example", "team/application", Some("team:x")),
            ("r.example", "team/empty", Some("team:x")),
            ("r.example", "team", Some("team:x")),
            ("r.example", "teams/app", Some("host:x")),
            ("docker.io", "library/debian", Some("library:x")),
            ("docker.io", "other/debian", None),
        ] {
            assert_eq!(
                find(text, registry, repository).as_deref(),
                user,
                "{registry}/{repository}"
            );
        }
    }

    #[test]
    fn of_two_spellings_the_one_that_docker_writes_wins() {
        let text = r#"{"auths":{
            "docker.io": {"auth": "YTpi"},
            "https://index.docker.io/v1/": {"auth": "Yzpk"},
            "https://index.docker.io/v1/access-token": {"auth": "ZTpm"}
        }}"#;
        assert_eq!(find(text, "docker.io", "a/b").as_deref(), Some("c:d"));
    }

    #[test]
    fn the_helper_of_the_registry_wins_over_the_one_for_all() {
        let text = r#"{
            "credsStore": "store",
            "credHelpers": {
                "ghcr.io": "own", "quay.io": "", "gcr.io": null,
                "docker.io": "other", "https://index.docker.io/v1/": "hub"
            }
        }"#;
        for (text, registry, helper) in [
            (text, "ghcr.io", Some("own")),
            (text, "quay.io", None),
            (text, "docker.io", Some("hub")),
            (text, "gcr.io", None),
            (text, "r.example", Some("store")),
            (r#"{"credsStore":null,"credHelpers":null}"#, "ghcr.io", None),
            ("{}", "ghcr.io", None),
            (r#"{"credsStore":""}"#, "ghcr.io", None),
        ] {
            let config = DockerConfig::parse(text).unwrap();
            assert_eq!(
                config.helper(&registry.parse().unwrap()),
                helper,
                "{registry}"
            );
        }
    }

    #[test]
    fn files_are_read_as_docker_reads_them() {
        let good = r#""r.example":{"auth":"YTpi"}"#;
        for (text, expected) in [
            (String::new(), None),
            (" \n".to_owned(), None),
            ("null".to_owned(), None),
            ("{}".to_owned(), None),
            (r#"{"auths":null}"#.to_owned(), None),
            (format!(r#"{{"auths":{{{good}}}}}"#), Some("a:b")),
            (
                format!(r#"{{"auths":{{{good}}}}} trailing {{"#),
                Some("a:b"),
            ),
            (format!(r#"{{"Auths":{{{good}}}}}"#), Some("a:b")),
            (
                format!(r#"{{"AUTHS":{{{good}}},"auths":{{}}}}"#),
                Some("a:b"),
            ),
            (
                r#"{"auths":{"r.example":{"AUTH":"YTpi"}}}"#.to_owned(),
                Some("a:b"),
            ),
            (
                r#"{"auths":{"r.example":{"Username":"a","PassWord":"b","auth":null}}}"#.to_owned(),
                Some("a:b"),
            ),
            (
                format!(r#"{{"auths":{{{good},"r.example":{{"auth":"YTpj"}}}}}}"#),
                Some("a:c"),
            ),
        ] {
            assert_eq!(find(&text, "r.example", "a").as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn says_where_a_file_is_broken_without_quoting_it() {
        for text in [
            "hunter2",
            r#"{"auths": "hunter2"}"#,
            r#"{"auths": {"r.example": "hunter2"}}"#,
            r#"{"auths": {"r.example": {"auth": ["hunter2"]}}}"#,
            r#"{"auths": {"r.example": {"auth": "hunter2:hunter2"}}}"#,
            // `hunter2` and `:hunter2`
            r#"{"auths": {"r.example": {"auth": "aHVudGVyMg=="}}}"#,
            r#"{"auths": {"r.example": {"auth": "Omh1bnRlcjI="}}}"#,
        ] {
            let error = DockerConfig::parse(text)
                .and_then(|config| {
                    config.proof(&"r.example".parse().unwrap(), Some(&"a".parse().unwrap()))
                })
                .unwrap_err();
            for secret in ["hunter2", "aHVu", "Omh1"] {
                assert!(!error.to_string().contains(secret), "{error}");
                assert!(!format!("{error:?}").contains(secret), "{error:?}");
            }
        }
    }

    #[test]
    fn a_broken_entry_of_another_registry_does_no_harm() {
        let text = r#"{"auths":{"x.example":{"auth":"%%"},"r.example":{"auth":"YTpi"}}}"#;
        assert_eq!(find(text, "r.example", "a").as_deref(), Some("a:b"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_a_panic(
            text in ".{0,80}",
            key in ".{0,40}",
            auth in "[A-Za-z0-9+/=]{0,24}",
        ) {
            let _ = DockerConfig::parse(&text);
            let _ = DockerConfig::parse_variable(&text);
            let config = serde_json::json!({"auths": {key: {"auth": auth}}}).to_string();
            let _ = DockerConfig::parse(&config)
                .unwrap()
                .proof(&"r.example".parse().unwrap(), Some(&"a/b".parse().unwrap()));
        }
    }
}
