//! Shapes: objects whose keys mean the same to every reader. To Go's `encoding/json`, `Layers` is `layers`; to other
//! readers it is an unknown key. A document with such a key, alone or next to the other, is two documents with one
//! digest (CVE-2021-41190 is a fault of this kind).

use std::cell::Cell;
use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor,
};

use super::fold;

/// The known keys of a document, level by level.
#[derive(Debug)]
pub enum Shape {
    /// Any value. Its keys, if any, are not checked.
    Any,
    /// An object with these known keys. Unknown keys are allowed.
    Object(&'static [(&'static str, &'static Shape)]),
    /// A list of values of this shape.
    List(&'static Shape),
}

impl Shape {
    /// Checks `bytes` against the shape.
    ///
    /// # Errors
    ///
    /// [`ShapeError::Ambiguous`] for a known key that appears twice or in another case, [`ShapeError::Json`] for
    /// invalid JSON or a list in place of an object. The document's parser reports other wrong types.
    pub fn check(&'static self, bytes: &[u8]) -> Result<(), ShapeError> {
        let is_ambiguous = Cell::new(false);
        let seed = Seed {
            shape: self,
            is_ambiguous: &is_ambiguous,
        };
        let mut deserializer = serde_json::Deserializer::from_slice(bytes);
        seed.deserialize(&mut deserializer)
            .and_then(|()| deserializer.end())
            .map_err(|source| {
                if is_ambiguous.get() {
                    ShapeError::Ambiguous(source)
                } else {
                    ShapeError::Json(source)
                }
            })
    }
}

/// A document that does not have its [`Shape`].
#[derive(Debug, thiserror::Error)]
pub enum ShapeError {
    /// The document is not JSON, or has a list in place of an object.
    #[error(transparent)]
    Json(serde_json::Error),
    /// Programs can read the document in different ways.
    #[error(transparent)]
    Ambiguous(serde_json::Error),
}

#[derive(Clone, Copy)]
struct Seed<'a> {
    shape: &'static Shape,
    is_ambiguous: &'a Cell<bool>,
}

impl Seed<'_> {
    fn within(self, shape: &'static Shape) -> Self {
        Self { shape, ..self }
    }

    fn ambiguous<E: Error>(self, what: impl fmt::Display) -> E {
        self.is_ambiguous.set(true);
        E::custom(what)
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.shape {
            Shape::Any => deserializer.deserialize_ignored_any(IgnoredAny).map(drop),
            _ => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Shape::List(element) = self.shape else {
            // Serde would read the elements as the fields, in their order.
            return Err(A::Error::invalid_type(Unexpected::Seq, &"an object"));
        };
        while list.next_element_seed(self.within(element))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let known = match self.shape {
            Shape::Object(known) => *known,
            _ => &[],
        };
        let mut seen = vec![false; known.len()];
        while let Some(key) = map.next_key::<String>()? {
            let folded = fold(&key);
            let mut candidates = known.iter().zip(&mut seen);
            match candidates.find(|((name, _), _)| name.eq_ignore_ascii_case(&folded)) {
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
                Some(((name, _), _)) if *name != key => {
                    return Err(self.ambiguous(format_args!(
                        "the key `{}` is `{name}` to clients written in Go, but unknown to others",
                        key.escape_default()
                    )));
                }
                Some(((name, _), true)) => {
                    return Err(self.ambiguous(format_args!("the key `{name}` appears twice")));
                }
                Some(((_, shape), seen)) => {
                    *seen = true;
                    map.next_value_seed(self.within(shape))?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INNER: Shape = Shape::Object(&[("size", &Shape::Any)]);
    const SHAPE: Shape = Shape::Object(&[
        ("mediaType", &Shape::Any),
        ("kind", &INNER),
        ("parts", &Shape::List(&INNER)),
        ("annotations", &Shape::Any),
    ]);

    #[test]
    fn keys_that_go_takes_for_known_ones_are_refused_at_every_level() {
        for (text, said) in [
            (r#"{"mediatype":1}"#, "`mediatype` is `mediaType`"),
            (
                r#"{"mediaType":1,"MEDIATYPE":1}"#,
                "`MEDIATYPE` is `mediaType`",
            ),
            (r#"{"\u004dediaType":1}"#, "`MediaType` is `mediaType`"),
            ("{\"\u{212a}ind\":{}}", r"`\u{212a}ind` is `kind`"),
            ("{\"part\u{17f}\":[]}", "is `parts`"),
            (r#"{"part\u017f":[]}"#, "is `parts`"),
            (r#"{"kind":{"Size":1}}"#, "`Size` is `size`"),
            (r#"{"parts":[{},null,{"SIZE":1}]}"#, "`SIZE` is `size`"),
            (r#"{"kind":{},"kind":{}}"#, "`kind` appears twice"),
            (r#"{"parts":[{"size":1,"size":1}]}"#, "`size` appears twice"),
        ] {
            let error = SHAPE.check(text.as_bytes()).unwrap_err();
            assert!(matches!(error, ShapeError::Ambiguous(_)), "{text}: {error}");
            assert!(error.to_string().contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn everything_else_is_left_to_the_parser() {
        for text in [
            "{}",
            "null",
            "7",
            "-7",
            "7.5",
            "true",
            r#""text""#,
            r#"{"kind":7,"parts":"x","mediaType":[{"size":1,"Size":1}]}"#,
            r#"{"annotations":{"key":"a","Key":"b","key":"c"}}"#,
            r#"{"other":1,"Other":2,"other":3,"size":1,"Size":2,"":0}"#,
            r#"{"parts":{"size":1,"Size":2}}"#,
            // Go folds only ASCII letters here, and the characters that fold to them.
            "{\"\u{212b}nnotations\":1,\"k\u{131}nd\":1,\"parts\u{301}\":1}",
        ] {
            assert!(SHAPE.check(text.as_bytes()).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_no_program_reads_is_no_ambiguity() {
        for text in [
            "",
            "{",
            "{}{}",
            "<html>",
            r#"{"kind":{}"#,
            "[]",
            r#"{"kind":[1]}"#,
            r#"{"parts":[[1]]}"#,
        ] {
            let error = SHAPE.check(text.as_bytes()).unwrap_err();
            assert!(matches!(error, ShapeError::Json(_)), "{text}: {error}");
        }
    }
}
