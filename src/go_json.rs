//! JSON objects, read as Go's `encoding/json` reads them, because docker and its credential helpers are written in Go:
//! keys match in any case, `null` leaves a field unchanged, the last of equal keys wins, maps that appear twice are
//! merged, and what is no text is U+FFFD. This module does not know any keys: each type reads its own.
//!
//! A document with a digest must mean the same to every reader: a [`Shape`] refuses documents that Go reads differently
//! from other languages.
//!
//! Source: Go's `encoding/json`, documentation of `Unmarshal` and `foldName` in `fold.go`.

mod null;
mod shape;
mod text;

pub(crate) use self::null::{null_as_default, texts};
pub(crate) use self::shape::{Shape, ShapeError};
pub(crate) use self::text::as_go_reads;

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

/// A structure that is read by the names of its fields, as Go does.
pub(crate) trait Fields: Default {
    /// Whether an unknown key is an error.
    const STRICT: bool = false;

    /// Reads the value of a key; `name` is in lowercase. Returns false for an unknown key, without reading the value.
    fn take<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error>;
}

/// Reads the first JSON value in a text, which must be an object or `null`. Ignores the text after it. Returns `None`
/// for an empty or blank text.
pub(crate) fn first<T: Fields>(text: &str) -> Result<Option<T>, serde_json::Error> {
    read(text).map(|read| read.map(|(value, _)| value))
}

/// Reads the only JSON value in a text, as [`first`] does. Text after the value is an error.
pub(crate) fn only<T: Fields>(text: &str) -> Result<Option<T>, serde_json::Error> {
    match read(text)? {
        Some((_, rest)) if !rest.trim_ascii().is_empty() => {
            Err(serde_json::Error::custom("text after the object"))
        }
        read => Ok(read.map(|(value, _)| value)),
    }
}

/// Reads the first JSON value in a document. Ignores the text after it.
pub(crate) fn first_value<T: DeserializeOwned>(document: &[u8]) -> Result<T, serde_json::Error> {
    T::deserialize(&mut serde_json::Deserializer::from_slice(document))
}

fn read<T: Fields>(text: &str) -> Result<Option<(T, &str)>, serde_json::Error> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Object<T>>();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let Object(value) = value?;
    let rest = text.get(values.byte_offset()..).unwrap_or_default();
    Ok(Some((value, rest)))
}

/// Returns a key in lowercase, as Go compares keys. Two characters outside ASCII fold to ASCII letters.
fn fold(name: &str) -> String {
    name.chars()
        .map(|c| match c {
            '\u{17f}' => 's',
            '\u{212a}' => 'k',
            c => c.to_ascii_lowercase(),
        })
        .collect()
}

/// Reads the next value into a text. `null` leaves the text unchanged.
pub(crate) fn text<'de, A: MapAccess<'de>>(
    field: &mut String,
    map: &mut A,
) -> Result<bool, A::Error> {
    if let Some(text) = map.next_value()? {
        *field = text;
    }
    Ok(true)
}

/// Adds the next value to a map, whose keys are case-sensitive. `null` empties the map.
pub(crate) fn entries<'de, A: MapAccess<'de>, T: DeserializeOwned + Default>(
    field: &mut BTreeMap<String, T>,
    map: &mut A,
) -> Result<bool, A::Error> {
    match map.next_value::<Option<BTreeMap<String, Option<T>>>>()? {
        None => field.clear(),
        Some(entries) => field.extend(
            entries
                .into_iter()
                .map(|(key, entry)| (key, entry.unwrap_or_default())),
        ),
    }
    Ok(true)
}

/// Deserialises a type by its [`Fields`].
#[derive(Default)]
pub(crate) struct Object<T>(pub T);

impl<'de, T: Fields> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Fields> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Object::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut value = T::default();
        while let Some(name) = map.next_key::<String>()? {
            if value.take(&fold(&name), &mut map)? {
                continue;
            }
            if T::STRICT {
                return Err(A::Error::custom("an unknown key"));
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(Object(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq)]
    struct Pair {
        key: String,
        map: BTreeMap<String, String>,
    }

    impl Fields for Pair {
        fn take<'de, A: MapAccess<'de>>(
            &mut self,
            name: &str,
            map: &mut A,
        ) -> Result<bool, A::Error> {
            match name {
                "key" => text(&mut self.key, map),
                "map" => entries(&mut self.map, map),
                _ => Ok(false),
            }
        }
    }

    #[test]
    fn objects_are_read_as_go_reads_them() {
        for (text, key, map) in [
            ("{}", "", ""),
            ("null", "", ""),
            (r#"{"key":"a"}"#, "a", ""),
            (r#"{"KEY":"a"}"#, "a", ""),
            ("{\"\u{212a}ey\":\"a\"}", "a", ""),
            (r#"{"key":"a","Key":"b"}"#, "b", ""),
            (r#"{"key":"a","key":null}"#, "a", ""),
            (r#"{"map":{"x":"1"},"MAP":{"X":"2","x":"3"}}"#, "", "X2x3"),
            (r#"{"map":{"x":"1"},"map":null}"#, "", ""),
            (r#"{"map":{"x":null}}"#, "", "x"),
            (r#"{"key":"a","other":[1,{"key":"b"}]}"#, "a", ""),
            (r#"{"key":"a"} {"key":"b"}"#, "a", ""),
            (r#"{"key":"a"}]"#, "a", ""),
        ] {
            let pair: Pair = first(text).unwrap().unwrap();
            let entries = pair
                .map
                .iter()
                .fold(String::new(), |all, (k, v)| all + k + v);
            assert_eq!((pair.key.as_str(), entries.as_str()), (key, map), "{text}");
        }
        for text in ["", " \t\r\n"] {
            assert_eq!(first::<Pair>(text).unwrap(), None);
        }
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in [
            "{",
            "[]",
            "7",
            r#""key""#,
            r#"{"key":7}"#,
            r#"{"map":{"x":7}}"#,
            "x",
        ] {
            assert!(first::<Pair>(text).is_err(), "{text}");
        }
        for (text, is_good) in [("{} \n", true), ("{}{}", false), ("{} x", false)] {
            assert_eq!(only::<Pair>(text).is_ok(), is_good, "{text}");
        }
    }
}
