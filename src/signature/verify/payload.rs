//! cosign's payload: which image it names.
//!
//! Source: containers-signature(5), "Data Format"; cosign, `pkg/cosign/verifiers.go`.

use serde::Deserialize;

use super::super::{Error, json};
use crate::oci::digest::Digest;
use crate::printable::Printable;

/// The value of `critical.type` in payloads of images.
const IMAGE_TYPE: &str = "cosign container image signature";

/// Checks that the payload names `subject`. Like cosign, does not compare the name of the repository: images are
/// copied to other repositories together with their signatures.
pub(super) fn check(payload: &[u8], subject: &Digest) -> Result<(), Error> {
    let payload: Payload = json::parse(payload)
        .map_err(|error| Error::Invalid(Printable::new(&format!("its payload: {error}"))))?;
    let Critical { image, kind } = payload.critical;
    if kind != IMAGE_TYPE {
        return Err(Error::OtherStatement(Printable::new(&kind)));
    }
    if image.digest != subject.to_string() {
        return Err(Error::OtherSubject(Printable::new(&image.digest)));
    }
    Ok(())
}

#[derive(Deserialize)]
struct Payload {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    digest: String,
}
