//! Proofs of signers, and the roots that they are verified with.

use std::sync::OnceLock;

use hocker::oci::Digest;
use hocker::signature::{Proof, PublicKey, Signer, Verifier};

/// What the fixtures are about.
const SUBJECT: &str = "sha256:a0cfc71271d6e278e57cd332ff957c3f7043fdda354c4cbb190a30d56efa01bf";

const KEY: &str = include_str!("../../data/sigstore/key.pub");

struct Fixture {
    verifier: Verifier,
    signers: [Signer; 2],
}

/// A verifier takes long to make.
fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| Fixture {
        verifier: Verifier::new().unwrap(),
        signers: [
            Signer::Key(PublicKey::from_pem(KEY.as_bytes()).unwrap()),
            Signer::Certificate {
                identity: "https://github.com/*".parse().unwrap(),
                issuer: "https://token.actions.githubusercontent.com"
                    .parse()
                    .unwrap(),
            },
        ],
    })
}

/// A proof keeps its text. It proves what its signature is about or nothing, to the signer that is named or to nobody.
pub fn proof(bytes: &[u8]) {
    let Ok(proof) = Proof::parse(bytes.to_vec()) else {
        return;
    };
    assert_eq!(proof.text().as_bytes(), bytes);
    assert_eq!(*proof.digest(), Digest::of(bytes));
    let Fixture { verifier, signers } = fixture();
    for signer in signers {
        for other in [Digest::of(b"other"), Digest::of(bytes)] {
            assert!(verifier.verify(&proof, &other, signer).is_err());
        }
        let Ok(signature) = verifier.verify(&proof, &SUBJECT.parse().unwrap(), signer) else {
            continue;
        };
        let is_keyed = matches!(signer, Signer::Key(_));
        assert_eq!(signature.identity.is_none(), is_keyed);
        assert_eq!(signature.issuer.is_none(), is_keyed);
        // All that sign with a certificate must be in a log or have a timestamp.
        assert!(is_keyed || signature.time.is_some());
    }
}
