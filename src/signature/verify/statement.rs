//! in-toto statements: what an attestation states about which content.

use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;

use super::super::{Error, json};
use crate::oci::digest::Digest;
use crate::printable::Printable;

/// The media type of statements in DSSE envelopes.
pub(super) const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// The types of statements (in-toto attestation framework, v0.1 and v1).
const STATEMENTS: [&str; 2] = [
    "https://in-toto.io/Statement/v0.1",
    "https://in-toto.io/Statement/v1",
];

/// The predicates that vouch for an image: cosign's signature, and the provenance that GitHub and `BuildKit` attest. A
/// list of packages or a report of faults is signed by the same people, but says nothing in favour of the image.
const PREDICATES: [&str; 3] = [
    "https://sigstore.dev/cosign/sign/v1",
    "https://slsa.dev/provenance/v0.2",
    "https://slsa.dev/provenance/v1",
];

/// The maximum number of subjects. Releases with hundreds of files attest all of them in one statement.
const MAX_SUBJECTS: usize = 4096;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    predicate_type: String,
    #[serde(default, rename = "predicate")]
    _predicate: IgnoredAny,
}

#[derive(Deserialize)]
struct Subject {
    digest: BTreeMap<String, String>,
}

/// Checks that a statement vouches for `subject`.
pub(super) fn check(payload: &[u8], subject: &Digest) -> Result<(), Error> {
    let statement: Statement = json::parse(payload)
        .map_err(|error| Error::Invalid(Printable::new(&format!("its statement: {error}"))))?;
    if !STATEMENTS.contains(&statement.kind.as_str()) {
        return Err(Error::OtherStatement(Printable::new(&statement.kind)));
    }
    if !PREDICATES.contains(&statement.predicate_type.as_str()) {
        return Err(Error::OtherStatement(Printable::new(
            &statement.predicate_type,
        )));
    }
    let named = |one: &Subject| one.digest.get(subject.algorithm()) == Some(&subject.hex());
    let subjects = statement.subject.iter().take(MAX_SUBJECTS);
    if subjects.clone().any(named) {
        return Ok(());
    }
    let others: Vec<_> = subjects
        .filter_map(|one| one.digest.get(subject.algorithm()))
        .take(1)
        .map(|hex| format!("{}:{hex}", subject.algorithm()))
        .collect();
    Err(Error::OtherSubject(Printable::new(&others.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn statement() -> Value {
        json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [
                {"name": "other", "digest": {"sha256": Digest::of(b"other").hex()}},
                {"name": "image", "digest": {"sha256": Digest::of(b"image").hex()}},
            ],
            "predicateType": "https://slsa.dev/provenance/v1",
            "predicate": {"any": ["thing"]},
        })
    }

    #[test]
    fn a_statement_vouches_for_each_of_its_subjects_and_for_nothing_else() {
        let text = statement().to_string();
        check(text.as_bytes(), &Digest::of(b"image")).unwrap();
        check(text.as_bytes(), &Digest::of(b"other")).unwrap();
        let error = check(text.as_bytes(), &Digest::of(b"third")).unwrap_err();
        assert!(matches!(error, Error::OtherSubject(_)), "{error}");
    }

    #[test]
    fn statements_that_do_not_vouch_for_an_image_are_refused() {
        for (key, value) in [
            ("_type", json!("https://example.com/Statement")),
            ("predicateType", json!("https://spdx.dev/Document")),
            (
                "predicateType",
                json!("https://in-toto.io/attestation/vulns/v0.2"),
            ),
            ("subject", json!([])),
            (
                "subject",
                json!([{"digest": {"sha512": Digest::of(b"image").hex()}}]),
            ),
            ("subject", json!([{"digest": {}}])),
            ("subject", json!("image")),
            ("predicateType", json!(null)),
        ] {
            let mut changed = statement();
            changed[key] = value;
            let text = changed.to_string();
            assert!(
                check(text.as_bytes(), &Digest::of(b"image")).is_err(),
                "{text}"
            );
        }
    }
}
