//! The history of an image: the instructions that made its layers.
//!
//! Source: OCI image specification, `config.md`, `history`.

use serde_json::Value;

use super::fields::field;

/// An entry of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEntry {
    /// The instruction, without the words that the builder adds. Empty if the entry names none.
    pub instruction: String,
    /// Whether the entry made a layer.
    pub has_layer: bool,
}

/// Reads the list of entries.
pub(super) fn parse(value: &Value) -> Vec<HistoryEntry> {
    let entries = value.as_array().into_iter().flatten();
    entries
        .map(|entry| {
            let text = |name| field(entry, name).and_then(Value::as_str);
            let created_by = text("created_by").filter(|text| !text.is_empty());
            HistoryEntry {
                instruction: instruction(
                    created_by.or_else(|| text("comment")).unwrap_or_default(),
                ),
                has_layer: field(entry, "empty_layer").and_then(Value::as_bool) != Some(true),
            }
        })
        .collect()
}

/// Returns the instruction for each of `layers` layers. If the history has another number of layers, it describes none
/// of them: nothing states which entries are missing.
pub(super) fn of_layers(history: &[HistoryEntry], layers: usize) -> Vec<Option<&str>> {
    let made = history.iter().filter(|entry| entry.has_layer);
    if made.clone().count() != layers {
        return vec![None; layers];
    }
    made.map(|entry| Some(entry.instruction.as_str()).filter(|text| !text.is_empty()))
        .collect()
}

/// Removes the words with which Docker's builders surround an instruction, and superfluous spaces.
fn instruction(created_by: &str) -> String {
    const SHELL: &str = "/bin/sh -c ";
    let text = created_by.trim();
    let text = text.strip_suffix("# buildkit").unwrap_or(text);
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some(rest) = text.strip_prefix(SHELL) {
        return match rest.trim_start().strip_prefix("#(nop)") {
            Some(instruction) => words(instruction),
            None => format!("RUN {}", words(rest)),
        };
    }
    match text
        .strip_prefix("RUN ")
        .and_then(|run| run.strip_prefix(SHELL))
    {
        Some(command) => format!("RUN {}", words(command)),
        None => words(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn instructions_lose_the_words_of_the_builder() {
        for (created_by, expected) in [
            ("/bin/sh -c #(nop)  CMD [\"bash\"]", "CMD [\"bash\"]"),
            ("/bin/sh -c apt-get   update", "RUN apt-get update"),
            ("RUN /bin/sh -c apk add x # buildkit", "RUN apk add x"),
            ("COPY file:1 in / # buildkit", "COPY file:1 in /"),
            (
                "RUN |1 A=b /bin/sh -c make # buildkit",
                "RUN |1 A=b /bin/sh -c make",
            ),
            ("", ""),
        ] {
            assert_eq!(instruction(created_by), expected);
        }
    }

    #[test]
    fn the_history_describes_layers_only_if_it_has_as_many() {
        let history = parse(&json!([
            {"created_by": "a"},
            {"created_by": "b", "empty_layer": true},
            {"comment": "c"},
        ]));
        assert_eq!(of_layers(&history, 2), [Some("a"), Some("c")]);
        for layers in [0, 1, 3] {
            assert_eq!(of_layers(&history, layers), vec![None; layers]);
        }
        let many = parse(&json!(vec![json!({"created_by": "x"}); 5000]));
        assert_eq!(of_layers(&many, 1), [None]);
    }
}
