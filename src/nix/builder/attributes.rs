//! The attributes of a derivation, as its builder receives them.
//!
//! Source: Nix manual, "Advanced Attributes" (`__structuredAttrs`, `impureEnvVars`) and "Derivations". Nix passes
//! attributes in one of two forms: each as an environment variable, or all in one JSON file.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Error;

/// The variable that names the JSON file.
pub const NIX_ATTRS_JSON_FILE: &str = "NIX_ATTRS_JSON_FILE";
/// The file in the working directory of the builder. In older sandboxes it is there, and the variable names another
/// path.
pub(super) const ATTRS_JSON: &str = ".attrs.json";

/// The attributes of a derivation in either form.
#[derive(Clone, Debug)]
pub enum Attributes {
    /// From the environment: every value is a string.
    Plain(BTreeMap<String, String>),
    /// From the JSON file.
    Structured(Map<String, Value>),
}

impl Attributes {
    /// Detects the form, and reads the JSON file from the path in the environment, or else from the working
    /// `directory`.
    pub fn read(environment: &BTreeMap<String, String>, directory: &Path) -> Result<Self, Error> {
        let named = environment
            .get(NIX_ATTRS_JSON_FILE)
            .filter(|path| !path.is_empty());
        let beside = directory.join(ATTRS_JSON);
        let mut candidates: Vec<PathBuf> = named.into_iter().map(PathBuf::from).collect();
        // An output in the environment means that there is no JSON file: with structured attributes Nix sets no such
        // variable.
        if named.is_some() || !environment.contains_key("out") {
            candidates.push(beside);
        }
        for path in candidates {
            match std::fs::read(&path) {
                Ok(bytes) => {
                    return serde_json::from_slice(&bytes)
                        .map(Self::Structured)
                        .map_err(|source| Error::Json { path, source });
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(Error::Read { path, source }),
            }
        }
        if named.is_some() {
            return Err(Error::NoAttributes);
        }
        Ok(Self::Plain(environment.clone()))
    }

    /// Returns an attribute that is a string. An empty string counts as unset, because Nix passes unset variables so.
    pub(super) fn text(&self, name: &'static str) -> Result<Option<&str>, Error> {
        let text = match self {
            Self::Plain(variables) => variables.get(name).map(String::as_str),
            Self::Structured(attributes) => match attributes.get(name) {
                None | Some(Value::Null) => None,
                Some(Value::String(text)) => Some(text.as_str()),
                Some(_) => return Err(Error::NotText(name)),
            },
        };
        Ok(text.filter(|text| !text.is_empty()))
    }

    pub(super) fn required(&self, name: &'static str) -> Result<&str, Error> {
        self.text(name)?.ok_or(Error::Missing(name))
    }

    pub(super) fn output(&self, name: &str) -> Option<PathBuf> {
        let path = match self {
            Self::Plain(variables) => variables.get(name).map(String::as_str),
            Self::Structured(attributes) => attributes
                .get("outputs")
                .and_then(|outputs| outputs.get(name))
                .and_then(Value::as_str),
        };
        path.filter(|path| !path.is_empty()).map(PathBuf::from)
    }

    /// Returns an attribute that is not a string. In the environment its value is JSON.
    pub(super) fn structure<T: DeserializeOwned>(
        &self,
        name: &str,
    ) -> Result<Option<T>, serde_json::Error> {
        match self {
            Self::Plain(variables) => variables
                .get(name)
                .filter(|text| !text.is_empty())
                .map(|text| serde_json::from_str(text)),
            Self::Structured(attributes) => attributes
                .get(name)
                .filter(|value| !value.is_null())
                .map(|value| serde_json::from_value(value.clone())),
        }
        .transpose()
    }
}
