//! Fields of a JSON object whose shape is not known.

use serde_json::Value;

/// Returns the field of an object. Go's parser, which daemons use, ignores the case of its name.
pub(super) fn field<'v>(object: &'v Value, name: &str) -> Option<&'v Value> {
    let fields = object.as_object()?;
    fields.get(name).or_else(|| {
        let mut others = fields.iter();
        others
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    })
}
