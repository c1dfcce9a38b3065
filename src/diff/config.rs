//! The differences between the settings of two configs.

use std::collections::{BTreeMap, BTreeSet};

use super::settings::Settings;

/// The differences between two configs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigChange {
    /// The fields with one value that differ.
    pub fields: Vec<FieldChange>,
    /// The variables of the environment that differ.
    pub environment: Vec<EntryChange>,
    /// The labels that differ.
    pub labels: Vec<EntryChange>,
    /// The exposed ports.
    pub ports: SetChange,
    /// The volumes.
    pub volumes: SetChange,
}

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// The name of the field, as people see it.
    pub name: &'static str,
    /// The old value, if the field was set.
    pub from: Option<String>,
    /// The new value, if the field is set.
    pub to: Option<String>,
}

/// A variable or a label that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryChange {
    /// The name.
    pub name: String,
    /// The old value, if it existed.
    pub from: Option<String>,
    /// The new value, if it exists.
    pub to: Option<String>,
}

/// The difference between two sets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetChange {
    /// What only the new set has.
    pub added: Vec<String>,
    /// What only the old set has.
    pub removed: Vec<String>,
}

impl ConfigChange {
    /// Compares two configs.
    #[must_use]
    pub fn between(old: &Settings, new: &Settings) -> Self {
        let fields = entries(&old.fields, &new.fields);
        Self {
            fields: fields
                .map(|(name, from, to)| FieldChange { name, from, to })
                .collect(),
            environment: named(&old.environment, &new.environment),
            labels: named(&old.labels, &new.labels),
            ports: SetChange::between(&old.ports, &new.ports),
            volumes: SetChange::between(&old.volumes, &new.volumes),
        }
    }

    /// Returns whether the configs are equal.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl SetChange {
    fn between(old: &BTreeSet<String>, new: &BTreeSet<String>) -> Self {
        Self {
            added: new.difference(old).cloned().collect(),
            removed: old.difference(new).cloned().collect(),
        }
    }
}

fn named(old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> Vec<EntryChange> {
    entries(old, new)
        .map(|(name, from, to)| EntryChange { name, from, to })
        .collect()
}

/// Returns the entries that differ, in the order of their names.
pub(super) fn entries<'m, K: Ord + Clone, V: PartialEq + Clone>(
    old: &'m BTreeMap<K, V>,
    new: &'m BTreeMap<K, V>,
) -> impl Iterator<Item = (K, Option<V>, Option<V>)> + use<'m, K, V> {
    let names: BTreeSet<&K> = old.keys().chain(new.keys()).collect();
    names.into_iter().filter_map(|name| {
        let (from, to) = (old.get(name), new.get(name));
        (from != to).then(|| (name.clone(), from.cloned(), to.cloned()))
    })
}
