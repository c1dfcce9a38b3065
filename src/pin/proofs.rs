//! The proofs of an image that is pinned: where signers put them, and which of them the wanted signer made.
//!
//! Sources: cosign, `specs/SIGNATURE_SPEC.md` and `specs/BUNDLE_SPEC.md`; `actions/attest`, `push-to-registry`.

use std::collections::BTreeSet;

use crate::class::Class;
use crate::lock::LockedImage;
use crate::name::Reference;
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::Digest;
use crate::oci::manifest::Manifest;
use crate::registry::{self, AttestedBy, ManifestOrIndex, Registry};
use crate::signature::{
    self, BUNDLE_TYPE, MAX_PROOF_SIZE, Proof, SIMPLE_SIGNING_PAYLOAD_TYPE, Signature, Signer,
    Verifier,
};

/// The maximum number of proofs of each form that are looked at.
const MAX_PROOFS: usize = 64;

/// The maximum size of cosign's payload in bytes. It has about 250.
const MAX_PAYLOAD_SIZE: usize = 64 << 10;

/// The end of the tags of cosign's signatures.
const SIGNATURES: &str = ".sig";

/// A proof that was verified, and what it states.
#[derive(Clone, Debug)]
pub struct Proven {
    /// The proof.
    pub proof: Proof,
    /// What it states.
    pub signature: Signature,
}

/// Finds the proofs that `signer` signed an image: its index or only manifest, or else the manifests of all locked
/// platforms.
pub async fn proofs(
    image: &LockedImage,
    signer: &Signer,
    verifier: &Verifier,
    registry: &Registry,
) -> Result<Vec<Proven>, Error> {
    let Some(digest) = image.digest() else {
        return Ok(Vec::new());
    };
    let search = Search {
        reference: image.reference(),
        signer,
        verifier,
        registry,
    };
    let error = match search.proof_of(&digest).await {
        Ok(proof) => return Ok(vec![proof]),
        Err(error @ (Error::Unsigned { .. } | Error::Refused { .. }))
            if image.index().is_some() =>
        {
            error
        }
        Err(error) => return Err(error),
    };
    let manifests = image.platforms().values();
    let manifests: BTreeSet<_> = manifests.map(|locked| *locked.manifest.digest()).collect();
    let mut proofs = Vec::new();
    for manifest in &manifests {
        match search.proof_of(manifest).await {
            Ok(proof) => proofs.push(proof),
            // The index is what signers sign, so its fault is the one to report.
            Err(Error::Unsigned { .. }) => return Err(error),
            Err(other) => return Err(other),
        }
    }
    Ok(proofs)
}

/// Returns the time at which a transparency log saw the signature of another index or manifest of an image by the signer
/// of the locked one, in seconds since the start of 1970 (UTC). `None` if that is not proven.
pub(super) async fn signed_at(
    known: &LockedImage,
    subject: &Digest,
    verifier: &Verifier,
    registry: &Registry,
) -> Option<i64> {
    let search = Search {
        reference: known.reference(),
        signer: &known.signer()?.signer,
        verifier,
        registry,
    };
    // A failure only leaves the image waiting.
    search.proof_of(subject).await.ok()?.signature.time
}

/// A search for proofs in one repository.
struct Search<'a> {
    reference: &'a Reference,
    signer: &'a Signer,
    verifier: &'a Verifier,
    registry: &'a Registry,
}

/// The proofs that were found but do not count.
#[derive(Default)]
struct Refusals {
    count: usize,
    worst: Option<signature::Error>,
    /// The reason why GitHub's API could not be asked.
    github: Option<registry::Error>,
}

impl Refusals {
    fn add(&mut self, error: signature::Error) {
        self.count += 1;
        // Another signer is the most important of the reasons.
        let is_signer = matches!(error, signature::Error::OtherSigner { .. });
        if self.worst.is_none() || is_signer {
            self.worst = Some(error);
        }
    }
}

impl Search<'_> {
    /// Finds a proof for one manifest or index.
    async fn proof_of(&self, subject: &Digest) -> Result<Proven, Error> {
        let mut refusals = Refusals::default();
        if let Some(proof) = self.bundle(subject, &mut refusals).await? {
            return Ok(proof);
        }
        if let Some(proof) = self.simple(subject, &mut refusals).await? {
            return Ok(proof);
        }
        if let Some(proof) = self.attestation(subject, &mut refusals).await {
            return Ok(proof);
        }
        let subject = Box::new(*subject);
        match refusals.worst {
            None => Err(Error::Unsigned {
                subject,
                source: refusals.github.map(Box::new),
            }),
            Some(source) => Err(Error::Refused {
                subject,
                count: refusals.count,
                source,
            }),
        }
    }

    /// Finds a bundle among the referrers: a signature of cosign from version 3, or an attestation of GitHub.
    async fn bundle(
        &self,
        subject: &Digest,
        refusals: &mut Refusals,
    ) -> Result<Option<Proven>, Error> {
        let referrers = self.registry.referrers(self.reference, subject).await?;
        let bundles = referrers.into_iter().filter(|referrer| {
            let named = referrer.artifact_type.as_ref();
            named.is_some_and(|named| named.as_str().starts_with(BUNDLE_TYPE))
        });
        for referrer in bundles.take(MAX_PROOFS) {
            let reference = Reference {
                tag: None,
                digest: Some(referrer.digest),
                ..self.reference.clone()
            };
            let manifest = match self.registry.find(&reference).await {
                Ok(ManifestOrIndex::Manifest(manifest)) => manifest,
                Ok(ManifestOrIndex::Index(_)) => continue,
                Err(error) if error.is_absent() => continue,
                Err(error) => return Err(error.into()),
            };
            for layer in layers(&manifest, BUNDLE_TYPE).take(1) {
                let bytes = self.content(layer, MAX_PROOF_SIZE).await?;
                let proof = match bytes.map(Proof::parse) {
                    Some(Ok(proof)) => proof,
                    Some(Err(error)) => {
                        refusals.add(error.into());
                        continue;
                    }
                    None => {
                        refusals.add(signature::ProofError::TooLarge.into());
                        continue;
                    }
                };
                if let Some(proof) = self.accepted(proof, subject, refusals) {
                    return Ok(Some(proof));
                }
            }
        }
        Ok(None)
    }

    /// Finds a signature of cosign before version 3 under the tag for it. The newest is the last.
    async fn simple(
        &self,
        subject: &Digest,
        refusals: &mut Refusals,
    ) -> Result<Option<Proven>, Error> {
        let found = self
            .registry
            .find_beside(self.reference, subject, SIGNATURES);
        let Some(ManifestOrIndex::Manifest(manifest)) = found.await? else {
            return Ok(None);
        };
        let mut last: Option<(Digest, Vec<u8>)> = None;
        for layer in layers(&manifest, SIMPLE_SIGNING_PAYLOAD_TYPE)
            .rev()
            .take(MAX_PROOFS)
        {
            // All signatures of an image by one program have the same payload.
            if last
                .as_ref()
                .is_none_or(|(digest, _)| *digest != layer.digest)
            {
                let Some(payload) = self.content(layer, MAX_PAYLOAD_SIZE).await? else {
                    refusals.add(signature::ProofError::TooLarge.into());
                    continue;
                };
                last = Some((layer.digest, payload));
            }
            let payload = last.as_ref().map_or(&[][..], |(_, payload)| payload);
            match Proof::of_simple_signing(payload, &layer.annotations) {
                Ok(Some(proof)) => {
                    if let Some(proof) = self.accepted(proof, subject, refusals) {
                        return Ok(Some(proof));
                    }
                }
                Ok(None) => {}
                Err(error) => refusals.add(error.into()),
            }
        }
        Ok(None)
    }

    /// Finds an attestation in GitHub's API, if the signer is a workflow of GitHub. A failure is not fatal: without another
    /// proof, the image is refused.
    async fn attestation(&self, subject: &Digest, refusals: &mut Refusals) -> Option<Proven> {
        let by = AttestedBy::of(self.signer)?;
        let bundles = match self.registry.github_attestations(&by, subject).await {
            Ok(bundles) => bundles,
            Err(error) => {
                refusals.github = Some(error);
                return None;
            }
        };
        for bundle in bundles {
            match Proof::parse(bundle.into_bytes()) {
                Ok(proof) => {
                    if let Some(proof) = self.accepted(proof, subject, refusals) {
                        return Some(proof);
                    }
                }
                Err(error) => refusals.add(error.into()),
            }
        }
        None
    }

    /// Fetches a small blob. `None` if it is too large.
    async fn content(
        &self,
        descriptor: &Descriptor,
        limit: usize,
    ) -> Result<Option<Vec<u8>>, Error> {
        if descriptor.size > limit as u64 {
            return Ok(None);
        }
        let repository = &self.reference.repository;
        let content = self.registry.small_blob(repository, descriptor, limit);
        Ok(Some(content.await?))
    }

    fn accepted(&self, proof: Proof, subject: &Digest, refusals: &mut Refusals) -> Option<Proven> {
        match self.verifier.verify(&proof, subject, self.signer) {
            Ok(signature) => Some(Proven { proof, signature }),
            Err(error) => {
                refusals.add(error);
                None
            }
        }
    }
}

fn layers<'a>(
    manifest: &'a Manifest,
    media_type: &'static str,
) -> impl DoubleEndedIterator<Item = &'a Descriptor> {
    let layers = manifest.layers.iter();
    layers.filter(move |layer| layer.media_type.as_str().starts_with(media_type))
}

/// The image has no proof that the signer signed it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The registry fails.
    #[error(transparent)]
    Registry(Box<registry::Error>),
    /// The repository has no signature of the image.
    #[error("the image is not signed: the repository has no signature of {subject}")]
    Unsigned {
        /// The digest of the index or manifest.
        subject: Box<Digest>,
        /// The reason why GitHub's API could not be asked, too.
        #[source]
        source: Option<Box<registry::Error>>,
    },
    /// The repository has signatures of the image, but none that counts.
    #[error("the image is not signed by the required signer: {count} other {} of {subject}", if *count == 1 { "signature" } else { "signatures" })]
    Refused {
        /// The digest of the index or manifest.
        subject: Box<Digest>,
        /// The number of signatures.
        count: usize,
        /// The most important reason.
        #[source]
        source: signature::Error,
    },
}

impl From<registry::Error> for Error {
    fn from(error: registry::Error) -> Self {
        Self::Registry(Box::new(error))
    }
}

impl Error {
    /// Returns the class of the failure.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Registry(error) => error.class(),
            Self::Unsigned { .. } | Self::Refused { .. } => Class::Integrity,
        }
    }
}
