//! The transparency log: a tree of two entries, of which ours is the second.

use rcgen::{KeyPair, PublicKeyData as _, SigningKey as _};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::base64;
use crate::support::image::hex_of;

/// The position of our entry in the whole log.
const INDEX: u64 = 1_000_001;

/// The log.
pub(super) struct TransparencyLog {
    key: KeyPair,
}

/// What the log says of an entry.
pub(super) struct Entry {
    pub(super) index: u64,
    /// The signature of the entry and its time.
    pub(super) promise: Vec<u8>,
    /// The head of the tree.
    pub(super) root: Vec<u8>,
    /// The hash of the other entry.
    pub(super) sibling: Vec<u8>,
    /// The signed head.
    pub(super) checkpoint: String,
}

impl TransparencyLog {
    pub(super) fn new() -> Self {
        Self {
            key: KeyPair::generate().unwrap(),
        }
    }

    pub(super) fn key(&self) -> &KeyPair {
        &self.key
    }

    pub(super) fn id(&self) -> Vec<u8> {
        Sha256::digest(self.key.subject_public_key_info()).to_vec()
    }

    pub(super) fn id_in_hex(&self) -> String {
        hex_of(&self.id())
    }

    pub(super) fn entry(&self, body: &[u8], time: i64) -> Entry {
        // The canonical form of JSON sorts the keys (RFC 8785), as serde_json does.
        let promised = json!({
            "body": base64(body),
            "integratedTime": time,
            "logID": self.id_in_hex(),
            "logIndex": INDEX,
        });
        let promise = self.key.sign(promised.to_string().as_bytes()).unwrap();
        // RFC 6962, section 2.1: a leaf is hashed after a 0, two nodes after a 1.
        let hash = |parts: &[&[u8]]| Sha256::digest(parts.concat()).to_vec();
        let sibling = hash(&[&[0], b"another entry"]);
        let root = hash(&[&[1], &sibling, &hash(&[&[0], body])]);
        let head = format!("log.example.com - 1\n2\n{}\n", base64(&root));
        let mut signature = self.id()[..4].to_vec();
        signature.extend(self.key.sign(head.as_bytes()).unwrap());
        Entry {
            index: INDEX,
            promise,
            checkpoint: format!("{head}\n— log.example.com {}\n", base64(&signature)),
            root,
            sibling,
        }
    }
}
