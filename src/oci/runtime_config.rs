//! What an image's config says about the process of a container: the command, the user, the environment.
//!
//! Source: OCI image specification, `config.md`, section "Properties", `config`.

use serde::{Deserialize, Deserializer};

use crate::go_json::{Shape, null_as_default};
use crate::oci::document::{ParseError, View};
use crate::oci::media_type::MediaType;

/// The parsed view of an image config's `config`. What the config leaves out is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct RuntimeConfig {
    /// The user, and the group behind a colon: names or numbers.
    #[serde(rename = "User", deserialize_with = "null_as_default")]
    pub user: String,
    /// Environment variables as `NAME=VALUE`.
    #[serde(rename = "Env", deserialize_with = "null_as_default")]
    pub environment: Vec<String>,
    /// The program and its first arguments.
    #[serde(rename = "Entrypoint", deserialize_with = "words")]
    pub entrypoint: Vec<String>,
    /// Further arguments; without an entrypoint, the program and its arguments.
    #[serde(rename = "Cmd", deserialize_with = "words")]
    pub command: Vec<String>,
    /// The working directory.
    #[serde(rename = "WorkingDir", deserialize_with = "null_as_default")]
    pub working_directory: String,
    /// The signal that asks the process to end.
    #[serde(rename = "StopSignal", deserialize_with = "null_as_default")]
    pub stop_signal: String,
}

#[derive(Default, Deserialize)]
struct Raw {
    #[serde(default, deserialize_with = "null_as_default")]
    config: RuntimeConfig,
}

/// Reads a list of words. Old versions of Docker wrote a single text, too.
fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Words {
        List(Vec<String>),
        One(String),
    }
    Ok(match Option::deserialize(deserializer)? {
        None => Vec::new(),
        Some(Words::List(words)) => words,
        Some(Words::One(word)) => vec![word],
    })
}

impl View for RuntimeConfig {
    const SHAPE: &'static Shape = &Shape::Object(&[(
        "config",
        &Shape::Object(&[
            ("User", &Shape::Any),
            ("Env", &Shape::Any),
            ("Entrypoint", &Shape::Any),
            ("Cmd", &Shape::Any),
            ("WorkingDir", &Shape::Any),
            ("StopSignal", &Shape::Any),
        ]),
    )]);

    fn parse(bytes: &[u8], _declared: Option<&MediaType>) -> Result<Self, ParseError> {
        let raw: Raw =
            serde_json::from_slice(bytes).map_err(|source| ParseError::json(source, bytes))?;
        Ok(raw.config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::document::Document;

    fn parse(text: &str) -> Result<RuntimeConfig, ParseError> {
        let document = Document::<RuntimeConfig>::parse(text.as_bytes().to_vec(), None)?;
        Ok((*document).clone())
    }

    #[test]
    fn reads_what_docker_writes() {
        let config = parse(
            r#"{"config":{"User":"app","Env":["A=b"],"Entrypoint":["/e"],"Cmd":["c"],
                "WorkingDir":"/w","StopSignal":"SIGINT","Labels":{}}}"#,
        )
        .unwrap();
        assert_eq!(config.user, "app");
        assert_eq!(config.environment, ["A=b"]);
        assert_eq!(
            (config.entrypoint, config.command),
            (vec!["/e".into()], vec!["c".into()])
        );
        assert_eq!(
            (&*config.working_directory, &*config.stop_signal),
            ("/w", "SIGINT")
        );
        assert_eq!(parse(r#"{"config":{"Cmd":"sh"}}"#).unwrap().command, ["sh"]);
    }

    #[test]
    fn what_is_left_out_or_null_is_empty() {
        for text in [
            "{}",
            r#"{"config":null}"#,
            r#"{"config":{"User":null,"Env":null,"Entrypoint":null,"Cmd":null,"WorkingDir":null,"StopSignal":null}}"#,
        ] {
            assert_eq!(parse(text).unwrap(), RuntimeConfig::default(), "{text}");
        }
    }

    #[test]
    fn refuses_a_config_that_programs_read_in_different_ways() {
        for text in [
            r#"{"config":{"User":"a","user":"root"}}"#,
            r#"{"config":{"User":"a"},"Config":{}}"#,
            r#"{"config":{"Cmd":[1]}}"#,
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
