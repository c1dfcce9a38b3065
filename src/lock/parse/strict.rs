//! Parts of JSON that are read more strictly than serde reads them.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde_json::Value;

use crate::oci::descriptor::Descriptor;
use crate::oci::platform::{self, Platform};

/// A descriptor with exactly its three required fields.
#[derive(Deserialize)]
#[serde(try_from = "StrictDescriptor")]
pub(super) struct RawDescriptor(pub(super) Descriptor);

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct StrictDescriptor {
    media_type: Value,
    digest: Value,
    size: Value,
}

impl TryFrom<StrictDescriptor> for RawDescriptor {
    type Error = serde_json::Error;

    fn try_from(raw: StrictDescriptor) -> Result<Self, serde_json::Error> {
        let StrictDescriptor {
            media_type,
            digest,
            size,
        } = raw;
        // The rules of [`Descriptor`] apply here, too.
        let object = serde_json::json!({"mediaType": media_type, "digest": digest, "size": size});
        serde_json::from_value(object).map(Self)
    }
}

/// A parsed key. Different spellings of the same value are equal.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key<T>(pub(super) T);

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Key<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(D::Error::custom)
    }
}

/// A platform with all its parts, so that it does not depend on the machine.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FullPlatform(pub(super) Platform);

impl FromStr for FullPlatform {
    type Err = platform::ParseError;

    fn from_str(text: &str) -> Result<Self, platform::ParseError> {
        Platform::in_full(text).map(Self)
    }
}

/// A map in which no key occurs twice. A merge without a conflict may duplicate keys.
pub(super) struct Unique<K, V>(pub(super) BTreeMap<K, V>);

impl<'de, K: DeserializeOwned + Ord, V: DeserializeOwned> Deserialize<'de> for Unique<K, V> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<K, V>(PhantomData<(K, V)>);

        impl<'de, K: DeserializeOwned + Ord, V: DeserializeOwned> Visitor<'de> for Members<K, V> {
            type Value = Unique<K, V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = BTreeMap::new();
                while let Some(key) = map.next_key()? {
                    if members.contains_key(&key) {
                        return Err(A::Error::custom("the key occurs twice"));
                    }
                    members.insert(key, map.next_value()?);
                }
                Ok(Unique(members))
            }
        }

        deserializer.deserialize_map(Members(PhantomData))
    }
}
