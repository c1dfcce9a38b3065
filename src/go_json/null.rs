//! `null` in documents, which Go writes for what is empty, and reads as such.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Free texts by their keys. To Go, `null` is an empty map, and an empty text.
pub(crate) fn texts<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    let texts: BTreeMap<String, Option<String>> = null_as_default(deserializer)?;
    Ok(texts
        .into_iter()
        .map(|(key, text)| (key, text.unwrap_or_default()))
        .collect())
}

/// Go writes what is empty as `null`, and reads it so.
pub(crate) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
