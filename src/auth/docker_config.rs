//! Docker's `config.json`, and the `auth.json` of podman, skopeo and their kin, which is the same with keys
//! for parts of a registry. It owns which entry of the file is for a repository, and names the credential
//! helper that the file wants asked; it asks none itself.
//!
//! Sources: github.com/docker/cli, `cli/config`; containers-auth.json(5).

use std::cmp::Reverse;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;

use super::Proof;
use crate::reference::{DOCKER_HUB, RegistryName, Repository};
use crate::secret::Secret;

/// Docker's key for Docker Hub, from the time of the first interface.
const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The name by which docker keeps a registry's credentials, in its file and with helpers.
#[must_use]
pub fn docker_key(registry: &RegistryName) -> &str {
    if registry.is_docker_hub() {
        DOCKER_HUB_KEY
    } else {
        registry.as_str()
    }
}

/// What such a file says of credentials. All else in it is somebody else's.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DockerConfig {
    auths: Option<BTreeMap<String, Option<Entry>>>,
    cred_helpers: Option<BTreeMap<String, String>>,
    creds_store: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

impl DockerConfig {
    /// Reads the file's text.
    pub fn parse(text: &str) -> Result<Self, Error> {
        serde_json::from_str(text).map_err(|error| Error::Json {
            // The error's own words may quote a secret.
            wrong: if error.is_data() {
                "does not hold what docker's configuration holds"
            } else {
                "is not JSON"
            },
            line: error.line(),
            column: error.column(),
        })
    }

    /// The credential helper to ask about a registry: the one named for it, else the one for all.
    #[must_use]
    pub fn helper(&self, registry: &RegistryName) -> Option<&str> {
        let registry = host_of(registry.as_str());
        let own = self.cred_helpers.iter().flatten().find(|(key, _)| {
            let scope = Scope::of(key);
            scope.path.is_empty() && scope.host == registry
        });
        // An empty name says: no helper for this one.
        own.map(|(_, helper)| helper)
            .or(self.creds_store.as_ref())
            .map(String::as_str)
            .filter(|helper| !helper.is_empty())
    }

    /// What the file itself holds for a repository. The longest key that names it or what it is in wins. For none,
    /// only keys for the registry as a whole count.
    pub fn proof(
        &self,
        registry: &RegistryName,
        repository: Option<&Repository>,
    ) -> Result<Option<Proof>, Error> {
        let host = host_of(registry.as_str());
        let mut matching: Vec<_> = self
            .auths
            .iter()
            .flatten()
            .filter_map(|(key, entry)| Some((Scope::of(key), key, entry.as_ref()?)))
            .filter(|(scope, ..)| scope.host == host && scope.holds(repository))
            .collect();
        // Of several spellings, the one that docker writes.
        matching.sort_by_key(|(scope, key, _)| {
            (Reverse(scope.path.len()), *key != docker_key(registry))
        });
        // Docker leaves an empty entry where a helper keeps the secret.
        for (_, _, entry) in matching {
            if let Some(proof) = entry.proof()? {
                return Ok(Some(proof));
            }
        }
        Ok(None)
    }
}

/// What a key is for: a registry, or the repositories at and below a path in it.
struct Scope<'a> {
    host: String,
    path: &'a str,
}

impl<'a> Scope<'a> {
    fn of(key: &'a str) -> Self {
        let bare = ["https://", "http://"]
            .iter()
            .find_map(|scheme| key.strip_prefix(scheme));
        let text = bare.unwrap_or(key);
        let (host, path) = text.split_once('/').unwrap_or((text, ""));
        let path = path.trim_end_matches('/');
        // The path of a URL is the interface's, not a repository's.
        let is_interface = bare.is_some() || matches!(path, "v1" | "v2");
        Self {
            host: host_of(host),
            path: if is_interface { "" } else { path },
        }
    }

    fn holds(&self, repository: Option<&Repository>) -> bool {
        self.path.is_empty()
            || repository
                .and_then(|repository| repository.as_str().strip_prefix(self.path))
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// A registry's host and port, with one name for Docker Hub.
fn host_of(name: &str) -> String {
    match name.to_ascii_lowercase().as_str() {
        "index.docker.io" | "registry-1.docker.io" => DOCKER_HUB.to_owned(),
        other => other.to_owned(),
    }
}

impl Entry {
    fn proof(&self) -> Result<Option<Proof>, Error> {
        let set = |field: &Option<String>| field.clone().filter(|text| !text.is_empty());
        if let Some(token) = set(&self.registrytoken) {
            return Ok(Some(Proof::Bearer(Secret::new(token))));
        }
        if let Some(token) = set(&self.identitytoken) {
            return Ok(Some(Proof::Identity(Secret::new(token))));
        }
        if let Some(auth) = set(&self.auth) {
            return decode(&auth).map(Some);
        }
        Ok(set(&self.username)
            .zip(set(&self.password))
            .map(|(username, password)| Proof::Basic {
                username,
                password: Secret::new(password),
            }))
    }
}

/// `auth` is `name:password` in base64.
fn decode(auth: &str) -> Result<Proof, Error> {
    let bytes = BASE64.decode(auth.trim()).map_err(|_| Error::Auth)?;
    let text = String::from_utf8(bytes).map_err(|_| Error::Auth)?;
    match text.split_once(':') {
        Some((username, password)) if !username.is_empty() => Ok(Proof::Basic {
            username: username.to_owned(),
            // Old versions of docker padded with these.
            password: Secret::new(password.trim_matches('\0')),
        }),
        _ => Err(Error::Auth),
    }
}

/// A file that cannot be read. What it holds is never quoted.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not such a file.
    #[error("it {wrong} (line {line}, column {column})")]
    Json {
        /// What is wrong.
        wrong: &'static str,
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// An entry's `auth` is something else.
    #[error("the `auth` of its entry for this registry is not a name and a password in base64")]
    Auth,
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
            // Without padding; a password with colons; a password padded with NUL.
            (r#"{"auth":"YW5uOnNlY3JldA"}"#, Some("ann:secret")),
            (r#"{"auth":"YW5uOmE6Yjpj"}"#, Some("ann:a:b:c")),
            (r#"{"auth":"YW5uOngAAA=="}"#, Some("ann:x")),
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
    fn keys_are_read_as_docker_reads_them() {
        for (key, registry, found) in [
            ("https://index.docker.io/v1/", "docker.io", true),
            ("index.docker.io", "docker.io", true),
            ("docker.io", "docker.io", true),
            ("https://registry-1.docker.io/v2/", "docker.io", true),
            (
                "https://index.docker.io/v1/",
                "registry-1.docker.io:443",
                false,
            ),
            ("ghcr.io", "ghcr.io", true),
            ("https://ghcr.io", "ghcr.io", true),
            ("https://ghcr.io/v2/", "ghcr.io", true),
            ("http://ghcr.io/v1/", "ghcr.io", true),
            ("ghcr.io/v2/", "ghcr.io", true),
            ("ghcr.io/", "ghcr.io", true),
            ("GHCR.io", "ghcr.io", true),
            ("https://r.example:5000/v2/", "r.example:5000", true),
            ("r.example:5000", "r.example", false),
            ("r.example", "r.example:5000", false),
            ("[::1]:5000", "[::1]:5000", true),
            ("ghcr.io.evil.example", "ghcr.io", false),
            ("", "ghcr.io", false),
            ("https://", "ghcr.io", false),
        ] {
            let text = format!(r#"{{"auths":{{"{key}":{{"auth":"YTpi"}}}}}}"#);
            let result = find(&text, registry, "library/debian");
            assert_eq!(result.is_some(), found, "{key} for {registry}");
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
            "credHelpers": {"ghcr.io": "own", "quay.io": "", "https://index.docker.io/v1/": "hub"}
        }"#;
        for (text, registry, helper) in [
            (text, "ghcr.io", Some("own")),
            (text, "quay.io", None),
            (text, "docker.io", Some("hub")),
            (text, "gcr.io", Some("store")),
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
    fn says_where_a_file_is_broken_without_quoting_it() {
        for text in [
            "",
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
            let config = serde_json::json!({"auths": {key: {"auth": auth}}}).to_string();
            let _ = DockerConfig::parse(&config)
                .unwrap()
                .proof(&"r.example".parse().unwrap(), Some(&"a/b".parse().unwrap()));
        }
    }
}
