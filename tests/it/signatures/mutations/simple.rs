use serde_json::{Value, json};

use super::{BUNDLE, CERTIFICATE, SIGNATURE, change, simple_original};
use crate::support::sigstore::{SIGNED_AT, Sigstore};

const CHAIN: &str = "/annotations/dev.sigstore.cosign~1chain";
const TIMESTAMP: &str = "/annotations/dev.sigstore.cosign~1rfc3161timestamp";

#[test]
fn missing_and_damaged_fields_of_a_simple_signature_are_refused() {
    let original = simple_original(&Sigstore::new());
    let certificate = original.text(CERTIFICATE).to_owned();
    let not_pem = "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
    original.refuses_each(&[
        ("no signature", SIGNATURE, None),
        ("no certificate", CERTIFICATE, None),
        ("no entry", BUNDLE, None),
        ("no payload", "/payload", None),
        ("no annotations", "/annotations", None),
        ("no media type", "/mediaType", None),
        (
            "another media type",
            "/mediaType",
            Some(json!("application/json")),
        ),
        ("an empty certificate", CERTIFICATE, Some(json!(""))),
        (
            "half a certificate",
            CERTIFICATE,
            Some(json!("-----BEGIN CERTIFICATE-----")),
        ),
        (
            "two certificates",
            CERTIFICATE,
            Some(json!(certificate.repeat(2))),
        ),
        ("an empty entry", BUNDLE, Some(json!("{}"))),
        ("an entry that is no JSON", BUNDLE, Some(json!("entry"))),
        ("an entry that is an object", BUNDLE, Some(json!({}))),
        (
            "an unknown annotation",
            "/annotations/other",
            Some(json!("")),
        ),
        ("an unknown field", "/other", Some(json!(""))),
        ("a chain that is none", CHAIN, Some(json!(not_pem))),
        (
            "a chain without an end",
            CHAIN,
            Some(json!(certificate.repeat(100))),
        ),
        (
            "a timestamp that is no JSON",
            TIMESTAMP,
            Some(json!("timestamp")),
        ),
        (
            "a timestamp that is none",
            TIMESTAMP,
            Some(json!(r#"{"SignedRFC3161Timestamp": "AAAA"}"#)),
        ),
    ]);
}

#[test]
fn changes_of_the_entry_of_a_simple_signature_are_refused() {
    let original = simple_original(&Sigstore::new());
    let text = original.text(BUNDLE).to_owned();
    let promise = "/SignedEntryTimestamp";
    let (time, index, log) = (
        "/Payload/integratedTime",
        "/Payload/logIndex",
        "/Payload/logID",
    );
    for (name, pointer, value) in [
        ("no promise", promise, None),
        ("an empty promise", promise, Some(json!(""))),
        ("no time", time, None),
        ("an earlier time", time, Some(json!(SIGNED_AT - 1))),
        ("a later time", time, Some(json!(SIGNED_AT + 1))),
        (
            "a time before the certificate",
            time,
            Some(json!(SIGNED_AT - 86_400)),
        ),
        ("the time 0", time, Some(json!(0))),
        ("a time before 1970", time, Some(json!(-1))),
        ("a time without an end", time, Some(json!(u64::MAX))),
        ("a time as a text", time, Some(json!(SIGNED_AT.to_string()))),
        ("no position", index, None),
        ("another position", index, Some(json!(1))),
        ("no log", log, None),
        ("another log", log, Some(json!("00".repeat(32)))),
        ("a log without a name", log, Some(json!(""))),
        ("a log with an odd name", log, Some(json!("abc"))),
        ("no body", "/Payload/body", None),
        ("no payload", "/Payload", None),
    ] {
        let mut entry: Value = serde_json::from_str(&text).unwrap();
        change(&mut entry, pointer, value);
        original.refuses_each(&[(name, BUNDLE, Some(json!(entry.to_string())))]);
    }
    let twice = text.replacen('{', "{\"SignedEntryTimestamp\": \"\", ", 1);
    original.refuses_each(&[("a promise twice", BUNDLE, Some(json!(twice)))]);
}
