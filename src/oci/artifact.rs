//! Artifacts: content of registries that is not a container image. This module maps their media types to names for
//! error messages.

use crate::oci::media_type::MediaType;

/// Prefixes of media types of configs and layers, with the artifact's name. A longer prefix stands before a shorter
/// one.
const KINDS: [(&str, &str); 22] = [
    ("application/vnd.cncf.helm.", "a Helm chart"),
    (
        "application/vnd.dev.cosign.simplesigning.",
        "a cosign signature",
    ),
    ("application/vnd.dev.cosign.", "a cosign artifact"),
    ("application/vnd.dev.sigstore.bundle", "a Sigstore bundle"),
    ("application/vnd.dsse.envelope", "a signed attestation"),
    ("application/vnd.in-toto", "an attestation"),
    ("application/vnd.cncf.notary.", "a Notary signature"),
    ("application/vnd.cncf.flux.", "a Flux artifact"),
    (
        "application/vnd.cncf.openpolicyagent.",
        "a bundle for Open Policy Agent",
    ),
    ("application/vnd.cncf.model.", "a model"),
    ("application/vnd.docker.ai.", "a model"),
    ("application/vnd.ollama.", "a model"),
    ("application/vnd.docker.plugin.", "a Docker plugin"),
    (
        "application/vnd.docker.compose.",
        "a project of Docker Compose",
    ),
    ("application/vnd.buildkit.", "a cache of BuildKit"),
    ("application/vnd.wasm.", "a WebAssembly module"),
    ("application/wasm", "a WebAssembly module"),
    ("application/spdx", "a bill of materials"),
    ("text/spdx", "a bill of materials"),
    ("application/vnd.cyclonedx", "a bill of materials"),
    (
        "application/vnd.oci.artifact.manifest.",
        "an OCI artifact manifest",
    ),
    (
        "application/vnd.devcontainers",
        "a feature or template for development containers",
    ),
];

/// Returns the name of the artifact whose config, layer or manifest has this media type, if it is known.
#[must_use]
pub(crate) fn name(media_type: &MediaType) -> Option<&'static str> {
    if media_type.as_str().ends_with("+encrypted") {
        return Some("an image with encrypted layers");
    }
    KINDS
        .iter()
        .find(|(start, _)| media_type.as_str().starts_with(start))
        .map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn artifacts_are_called_by_their_names() {
        for (media_type, expected) in [
            (
                "application/vnd.cncf.helm.config.v1+json",
                Some("a Helm chart"),
            ),
            (
                "application/vnd.dev.cosign.simplesigning.v1+json",
                Some("a cosign signature"),
            ),
            (
                "application/vnd.oci.image.layer.v1.tar+gzip+encrypted",
                Some("an image with encrypted layers"),
            ),
            ("application/vnd.example.thing", None),
            ("application/vnd.oci.image.config.v1+json", None),
        ] {
            assert_eq!(name(&MediaType::new(media_type)), expected, "{media_type}");
        }
    }
}
