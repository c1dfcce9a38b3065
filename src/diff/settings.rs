//! What an image's config asks of the container runtime: the command, the environment, ports and so on.
//!
//! A field of an unexpected type is kept as JSON text, so that a difference in it is visible.
//!
//! Source: OCI image specification, `config.md`; moby, `api/types/container/config.go`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::fields::field;
use super::history::{self, HistoryEntry};

/// The fields of a config that hold one value, with the names that people see.
const FIELDS: [(&str, &str); 8] = [
    ("Entrypoint", "entrypoint"),
    ("Cmd", "command"),
    ("Shell", "shell"),
    ("User", "user"),
    ("WorkingDir", "working directory"),
    ("StopSignal", "stop signal"),
    ("StopTimeout", "stop timeout"),
    ("Healthcheck", "health check"),
];

/// The parsed fields of a config.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The values of single fields by the names that people see: text, or JSON for lists and objects.
    pub fields: BTreeMap<&'static str, String>,
    /// The environment: names and values.
    pub environment: BTreeMap<String, String>,
    /// The exposed ports.
    pub ports: BTreeSet<String>,
    /// The volumes.
    pub volumes: BTreeSet<String>,
    /// The labels.
    pub labels: BTreeMap<String, String>,
    /// The history of the image, oldest entry first.
    pub history: Vec<HistoryEntry>,
}

impl Settings {
    /// Reads the text of a config. A text that is not a JSON object has no settings.
    #[must_use]
    pub fn parse(text: &[u8]) -> Self {
        let document: Value = serde_json::from_slice(text).unwrap_or_default();
        let config = field(&document, "config").unwrap_or(&Value::Null);
        let named = |name| field(config, name);
        let fields = FIELDS
            .iter()
            .filter_map(|(name, shown)| Some((*shown, non_empty(named(name)?)?)));
        Self {
            fields: fields.collect(),
            environment: environment(named("Env")),
            ports: keys(named("ExposedPorts")),
            volumes: keys(named("Volumes")),
            labels: texts(named("Labels")),
            history: field(&document, "history").map_or_else(Vec::new, history::parse),
        }
    }
}

/// Returns a value as text; nothing for what Go writes if a field is not set.
fn non_empty(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::Array(items) if items.is_empty() => None,
        Value::Object(fields) if fields.is_empty() => None,
        value => Some(shown(value)),
    }
}

/// Returns a text unchanged, and any other value as JSON.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

/// Returns the variables of the environment. As in a process, the last of several values counts.
fn environment(value: Option<&Value>) -> BTreeMap<String, String> {
    let lines = value.and_then(Value::as_array).into_iter().flatten();
    lines
        .map(|line| {
            let line = shown(line);
            match line.split_once('=') {
                Some((name, value)) => (name.to_owned(), value.to_owned()),
                None => (line, String::new()),
            }
        })
        .collect()
}

/// Returns the keys of an object, or the items of a list.
fn keys(value: Option<&Value>) -> BTreeSet<String> {
    match value {
        Some(Value::Object(fields)) => fields.keys().cloned().collect(),
        Some(Value::Array(items)) => items.iter().map(shown).collect(),
        _ => BTreeSet::new(),
    }
}

fn texts(value: Option<&Value>) -> BTreeMap<String, String> {
    let fields = value.and_then(Value::as_object).into_iter().flatten();
    fields
        .map(|(name, value)| (name.clone(), shown(value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_in_any_case_and_absent_ones_have_no_value() {
        let settings = Settings::parse(
            br#"{"config":{"entrypoint":["/a","b"],"Cmd":null,"User":"","Env":["A=1","B","A=2=3"],
                "ExposedPorts":{"80/tcp":{}},"Volumes":{"/data":{}},"Labels":{"x":"y","n":7},
                "Healthcheck":{"Test":["CMD","x"]}}}"#,
        );
        assert_eq!(settings.fields["entrypoint"], r#"["/a","b"]"#);
        assert_eq!(settings.fields.len(), 2, "{:?}", settings.fields);
        assert_eq!(settings.environment["A"], "2=3");
        assert_eq!(settings.environment["B"], "");
        assert!(settings.ports.contains("80/tcp") && settings.volumes.contains("/data"));
        assert_eq!(settings.labels["n"], "7");
    }

    #[test]
    fn values_of_unexpected_types_cause_no_failure() {
        for text in [
            "",
            "[]",
            "null",
            "7",
            r#"{"config":[]}"#,
            r#"{"config":{"Env":{"A":1},"ExposedPorts":7,"Labels":[],"Cmd":{"a":[]}},"history":{"a":1}}"#,
            r#"{"config":{"Env":[7,null,["A=1"]],"Cmd":"text","User":7},"history":[7,null,[]]}"#,
        ] {
            let settings = Settings::parse(text.as_bytes());
            assert!(settings.ports.is_empty(), "{text}");
        }
    }
}
