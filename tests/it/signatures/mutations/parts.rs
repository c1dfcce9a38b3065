use hocker::oci::Digest;
use serde_json::Value;

use super::super::{of_bundle, of_simple, subject};
use super::{BUNDLE, CERTIFICATE, Original, SIGNATURE, at, bundle_original, simple_original};
use crate::support::sigstore::{SIGN, Sigstore, statement};

/// A proof that is right by itself, but for something else.
#[derive(Clone, Copy)]
enum Other {
    /// For the same image, with another certificate and another entry of the log.
    Signature,
    /// For another image.
    Image,
    /// For the same image, by another instance of Sigstore.
    Instance,
}

/// A part of a proof, and the proofs whose part is refused in its place.
type Part = (&'static str, &'static [Other]);

const SIMPLE: [Part; 6] = [
    (SIGNATURE, &[Other::Signature, Other::Image]),
    (CERTIFICATE, &[Other::Signature, Other::Instance]),
    (BUNDLE, &[Other::Signature, Other::Image, Other::Instance]),
    ("/payload", &[Other::Image]),
    ("/annotations", &[Other::Image]),
    ("", &[Other::Image, Other::Instance]),
];

const OF_BUNDLE: [Part; 6] = [
    ("/verificationMaterial", &[Other::Signature, Other::Image]),
    ("/verificationMaterial/tlogEntries", &[Other::Signature]),
    ("/verificationMaterial/certificate", &[Other::Signature]),
    ("/dsseEnvelope/signatures", &[Other::Signature]),
    ("/dsseEnvelope", &[Other::Image]),
    ("", &[Other::Image, Other::Instance]),
];

/// Demands that no part can come from another proof. `prove` makes a proof about a digest.
fn refuses_parts(
    original: &Original,
    parts: &[Part],
    own: &Sigstore,
    prove: impl Fn(&Sigstore, &str) -> Value,
) {
    let same = subject().to_string();
    for (pointer, others) in parts {
        for other in *others {
            let (name, proof) = match other {
                Other::Signature => ("another signature", prove(own, &same)),
                Other::Image => (
                    "another image",
                    prove(own, &Digest::of(b"other").to_string()),
                ),
                Other::Instance => ("another instance", prove(&Sigstore::new(), &same)),
            };
            original.refuses_each(&[(
                &format!("{pointer} of {name}"),
                pointer,
                at(&proof, pointer),
            )]);
        }
    }
}

#[test]
fn parts_of_other_proofs_are_refused() {
    let sigstore = Sigstore::new();
    refuses_parts(
        &simple_original(&sigstore),
        &SIMPLE,
        &sigstore,
        |by, digest| {
            let proof = of_simple(&by.simple(&by.workflow(), digest));
            serde_json::from_str(proof.text()).unwrap()
        },
    );
    refuses_parts(
        &bundle_original(&sigstore),
        &OF_BUNDLE,
        &sigstore,
        |by, digest| {
            let proof = of_bundle(&by.bundle(&by.workflow(), &statement(SIGN, digest)));
            serde_json::from_str(proof.text()).unwrap()
        },
    );
}
