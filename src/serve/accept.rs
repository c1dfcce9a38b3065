//! The media types that a client accepts.
//!
//! Source: RFC 9110, section 12.5.1 (`Accept`). A server may ignore this field, and this one mostly does: a request by
//! digest has only one possible response.

use hyper::HeaderMap;
use hyper::header::ACCEPT;

use crate::oci::media_type::MediaType;

/// Whether the client accepts manifests, but neither indexes nor all media types.
pub(super) fn wants_no_index(request: &HeaderMap) -> bool {
    let accepted: Vec<MediaType> = request
        .get_all(ACCEPT)
        .iter()
        .filter_map(|field| field.to_str().ok())
        .flat_map(|field| field.split(','))
        .map(MediaType::new)
        .collect();
    let takes_indexes =
        |media_type: &MediaType| media_type.is_index() || media_type.as_str().ends_with("/*");
    accepted.iter().any(MediaType::is_manifest) && !accepted.iter().any(takes_indexes)
}

#[cfg(test)]
mod tests {
    use super::wants_no_index;
    use hyper::HeaderMap;
    use hyper::header::ACCEPT;

    #[test]
    fn only_a_client_that_accepts_manifests_alone_gets_no_index() {
        const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
        const INDEX: &str = "application/vnd.oci.image.index.v1+json";
        for (fields, expected) in [
            (&[][..], false),
            (&["*/*"], false),
            (&["application/json"], false),
            (&["nonsense;;,"], false),
            (&[MANIFEST], true),
            (&[MANIFEST, "application/json"], true),
            (&[&format!("{MANIFEST}; q=0.5, text/plain")], true),
            (&[&format!("{MANIFEST}, {INDEX};q=0.1")], false),
            (&[MANIFEST, INDEX], false),
            (&[&format!("{MANIFEST}, */*;q=0.1")], false),
        ] {
            let mut headers = HeaderMap::new();
            for field in fields {
                headers.append(ACCEPT, field.parse().unwrap());
            }
            assert_eq!(wants_no_index(&headers), expected, "{fields:?}");
        }
    }
}
