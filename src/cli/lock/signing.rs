//! Signatures of images: the signer that the arguments name, the search for proofs while an image is locked, and their
//! verification afterwards.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::super::Error;
use super::super::args::lock::SignerArgs;
use super::error::LockError;
use super::proof_files::{ProofDirectory, ProofFiles};
use hocker::lock::{LockedImage, LockedSigner};
use hocker::oci::digest::Digest;
use hocker::pin::{self, Terms};
use hocker::registry::Registry;
use hocker::signature::{MAX_PROOF_SIZE, Proof, PublicKey, Signature, Signer, Verifier};

/// What the arguments state about the signer of images.
#[derive(Clone, Debug)]
pub(super) enum SignerChange {
    /// Nothing: a locked image keeps its signer.
    Keep,
    /// Images need no signer.
    Remove,
    /// Images must have this signer.
    Require(LockedSigner),
}

/// The verifiers and the files of a command.
pub(super) struct Signing {
    directory: ProofDirectory,
    /// By the trusted root. There is usually one.
    verifiers: Mutex<HashMap<Option<Digest>, Arc<Verifier>>>,
    files: Mutex<ProofFiles>,
}

impl Signing {
    /// Prepares for the images of a lock file.
    pub(super) fn of(lock_file: &Path) -> Self {
        Self {
            directory: ProofDirectory::beside(lock_file),
            verifiers: Mutex::default(),
            files: Mutex::default(),
        }
    }

    /// Reads what the arguments state about the signer.
    pub(super) fn change(&self, args: &SignerArgs) -> Result<SignerChange, Error> {
        let signer = match (&args.signed_by, &args.issuer, &args.key) {
            (Some(identity), Some(issuer), _) => Signer::Certificate {
                identity: identity.clone(),
                issuer: issuer.clone(),
            },
            (_, _, Some(path)) => {
                let key = PublicKey::from_pem(&read(path)?);
                Signer::Key(key.map_err(|source| LockError::Key {
                    path: path.clone(),
                    source,
                })?)
            }
            _ if args.unsigned => return Ok(SignerChange::Remove),
            _ if args.trusted_root.is_some() => return Err(LockError::RootWithoutSigner.into()),
            _ => return Ok(SignerChange::Keep),
        };
        let trusted_root = match &args.trusted_root {
            Some(path) => {
                let bytes = read(path)?;
                let verifier = Verifier::with_root(&bytes).map_err(LockError::Signature)?;
                let digest = Digest::of(&bytes);
                locked(&self.verifiers).insert(Some(digest), Arc::new(verifier));
                locked(&self.files).insert(digest, bytes);
                Some(digest)
            }
            None => None,
        };
        // Without the feature, this fails before any request.
        self.verifier(trusted_root.as_ref())?;
        Ok(SignerChange::Require(LockedSigner {
            signer,
            trusted_root,
            proofs: BTreeSet::new(),
        }))
    }

    /// Returns the verifier for the signatures of an image, if their times can end its wait.
    pub(super) fn clock(&self, image: &LockedImage, terms: &Terms) -> Option<Arc<Verifier>> {
        let signer = image.signer().filter(|_| !terms.min_age.is_none())?;
        self.verifier(signer.trusted_root.as_ref()).ok()
    }

    /// Finds the proofs that `signer` signed an image. Returns the image with both.
    pub(super) async fn prove(
        &self,
        image: LockedImage,
        signer: &LockedSigner,
        registry: &Registry,
    ) -> Result<LockedImage, Error> {
        let verifier = self.verifier(signer.trusted_root.as_ref())?;
        let proven = pin::proofs(&image, &signer.signer, &verifier, registry).await?;
        let mut proofs = BTreeSet::new();
        for one in proven {
            let digest = *one.proof.digest();
            proofs.insert(digest);
            locked(&self.files).insert(digest, one.proof.text().as_bytes().to_vec());
        }
        Ok(image.with_signer(Some(LockedSigner {
            proofs,
            ..signer.clone()
        })))
    }

    /// Returns whether the proofs of an image are beside the lock file, unchanged.
    pub(super) fn has_proofs(&self, signer: &LockedSigner) -> bool {
        let mut proofs = signer.proofs.iter();
        proofs.all(|digest| self.directory.read(digest).is_ok())
    }

    /// Verifies a locked image with the files beside the lock file.
    pub(super) fn verify(&self, image: &LockedImage) -> Result<Vec<Signature>, Error> {
        let Some(signer) = image.signer() else {
            return Ok(Vec::new());
        };
        let verifier = self.verifier(signer.trusted_root.as_ref())?;
        let mut proofs = Vec::new();
        for digest in &signer.proofs {
            let proof = Proof::parse(self.directory.read(digest)?);
            proofs.push(proof.map_err(|error| LockError::Signature(error.into()))?);
        }
        let signatures = image.verify(&proofs, &verifier);
        Ok(signatures.map_err(LockError::NotProven)?)
    }

    /// Returns the files that must be beside the lock file.
    pub(super) fn into_files(self) -> ProofFiles {
        self.files
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn verifier(&self, root: Option<&Digest>) -> Result<Arc<Verifier>, Error> {
        if let Some(verifier) = locked(&self.verifiers).get(&root.copied()) {
            return Ok(Arc::clone(verifier));
        }
        let verifier = match root {
            Some(digest) => Verifier::with_root(&self.directory.read(digest)?),
            None => Verifier::new(),
        };
        let verifier = Arc::new(verifier.map_err(LockError::Signature)?);
        locked(&self.verifiers).insert(root.copied(), Arc::clone(&verifier));
        Ok(verifier)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads a small file that the user names. It may be a pipe.
fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_PROOF_SIZE as u64).read_to_end(&mut bytes))
        .map_err(|source| Error::Input {
            what: path.display().to_string(),
            source,
        })?;
    Ok(bytes)
}
