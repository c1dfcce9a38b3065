//! `DOCKER_AUTH_CONFIG`: a variable with the `auths` of docker's configuration, in a strict form.
//!
//! Source: docker/cli 28, `parseEnvConfig` in `cli/config/configfile/file.go`.

use std::collections::BTreeMap;

use serde::de::MapAccess;

use super::{DockerConfig, Entry, Error, decode};
use crate::go_json::{self, Fields, Object, entries, text};

/// The value of the variable: `auths` whose entries have an `auth`, and nothing else.
#[derive(Default)]
struct Variable {
    auths: BTreeMap<String, Object<OnlyAuth>>,
}

impl Fields for Variable {
    const STRICT: bool = true;

    fn take<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
        match name {
            "auths" => entries(&mut self.auths, map),
            _ => Ok(false),
        }
    }
}

#[derive(Default)]
struct OnlyAuth {
    auth: String,
}

impl Fields for OnlyAuth {
    const STRICT: bool = true;

    fn take<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
        match name {
            "auth" => text(&mut self.auth, map),
            _ => Ok(false),
        }
    }
}

impl DockerConfig {
    /// Parses the value of `DOCKER_AUTH_CONFIG`. As in docker, one invalid entry makes the whole value invalid.
    pub fn parse_variable(text: &str) -> Result<Self, Error> {
        let variable: Variable = go_json::only(text)
            .map_err(|_| Error::Variable)?
            .unwrap_or_default();
        let mut auths = BTreeMap::new();
        for (key, Object(OnlyAuth { auth })) in variable.auths {
            if decode(&auth).is_err() {
                return Err(Error::Variable);
            }
            let entry = Entry {
                auth,
                ..Entry::default()
            };
            auths.insert(key, Object(entry));
        }
        Ok(Self {
            auths,
            ..Self::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_is_read_as_docker_reads_it() {
        let read = |text: &str| {
            let config = DockerConfig::parse_variable(text).ok()?;
            let found = config.proof(&"r.example".parse().unwrap(), None).unwrap();
            Some(found.is_some())
        };
        for (text, found) in [
            (r#"{"auths":{"r.example":{"auth":"YTpi"}}}"#, Some(true)),
            (r#"{"Auths":{"r.example":{"AUTH":"YTpi"}}}"#, Some(true)),
            (r#"{"auths":{"x.example":{"auth":"YTpi"}}}"#, Some(false)),
            ("{}", Some(false)),
            (" ", Some(false)),
            // Docker refuses other keys, entries without `auth`, and two objects.
            (r#"{"auths":{},"credsStore":"x"}"#, None),
            (
                r#"{"auths":{"r.example":{"username":"a","password":"b"}}}"#,
                None,
            ),
            (
                r#"{"auths":{"r.example":{"auth":"YTpi","email":"a"}}}"#,
                None,
            ),
            (r#"{"auths":{"r.example":{}}}"#, None),
            (
                r#"{"auths":{"r.example":{"auth":"YTpi"},"x.example":{"auth":"%"}}}"#,
                None,
            ),
            (r#"{"auths":{"r.example":{"auth":"YTpi"}}}{}"#, None),
            ("[]", None),
            ("{", None),
        ] {
            assert_eq!(read(text), found, "{text}");
        }
    }
}
