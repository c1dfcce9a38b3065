//! `null` in documents: Go writes it for empty values and reads it as an empty value.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Reads a map of texts, such as annotations. `null` is an empty map or an empty text.
pub(crate) fn texts<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    let texts: BTreeMap<String, Option<String>> = null_as_default(deserializer)?;
    Ok(texts
        .into_iter()
        .map(|(key, text)| (key, text.unwrap_or_default()))
        .collect())
}

/// Reads a value. `null` is the default value.
pub(crate) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
