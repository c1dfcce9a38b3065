//! Referrers: manifests with a `subject`, such as signatures, by the manifest or index that they are about.
//!
//! Source: OCI distribution specification 1.1, sections "Listing Referrers" and "Unavailable Referrers API".

use url::Url;

use super::resolve::accepting;
use super::tags::target_of_next;
use super::{Cause, Error, ManifestOrIndex, Object, Registry};
use crate::http::Request;
use crate::http::header::LINK;
use crate::name::{Reference, Repository, Tag};
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::Digest;
use crate::oci::document::{Document, MAX_DOCUMENT_SIZE};
use crate::oci::index::Index;

/// The maximum number of pages of a list.
const MAX_PAGES: usize = 8;

impl Registry {
    /// Lists the referrers of a manifest or index, all of them up to a limit of pages. A registry without the list of
    /// referrers has a tag with an index of them; without that tag there are none.
    pub async fn referrers(
        &self,
        reference: &Reference,
        subject: &Digest,
    ) -> Result<Vec<Descriptor>, Error> {
        let repository = &reference.repository;
        match self.listed_referrers(repository, subject).await {
            Ok(listed) => Ok(listed),
            // Registries answer requests that they do not know with various statuses.
            Err(cause) if cause.is_refusal() => self.tagged_referrers(reference, subject).await,
            Err(cause) => Err(Error {
                object: Object::Referrers {
                    subject: *subject,
                    repository: repository.clone(),
                },
                registry: self.endpoint.registry_name().to_string(),
                cause,
            }),
        }
    }

    async fn listed_referrers(
        &self,
        repository: &Repository,
        subject: &Digest,
    ) -> Result<Vec<Descriptor>, Cause> {
        let mut url = self.endpoint.referrers_url(repository, subject);
        let mut listed = Vec::new();
        for _ in 0..MAX_PAGES {
            let request = Request {
                headers: accepting(),
                ..Request::get(url.clone())
            };
            let ((declared, links), bytes) = self
                .document(repository, request, MAX_DOCUMENT_SIZE, |response| {
                    (response.media_type(), response.texts(LINK))
                })
                .await?;
            let page: Document<Index> = Document::parse(bytes, declared.as_ref())?;
            listed.extend(page.manifests.iter().cloned());
            match next(&url, &links) {
                Some(next) => url = next,
                None => break,
            }
        }
        Ok(listed)
    }

    async fn tagged_referrers(
        &self,
        reference: &Reference,
        subject: &Digest,
    ) -> Result<Vec<Descriptor>, Error> {
        let Some(found) = self.find_beside(reference, subject, "").await? else {
            return Ok(Vec::new());
        };
        Ok(match found {
            ManifestOrIndex::Index(index) => index.manifests.clone(),
            ManifestOrIndex::Manifest(_) => Vec::new(),
        })
    }

    /// Fetches the document whose tag is the digest of `subject` with a suffix, such as cosign's `.sig`. `None` if the
    /// tag does not exist.
    pub async fn find_beside(
        &self,
        reference: &Reference,
        subject: &Digest,
        suffix: &str,
    ) -> Result<Option<ManifestOrIndex>, Error> {
        let tag = format!("{}-{}{suffix}", subject.algorithm(), subject.hex());
        // A digest of SHA-512 is longer than a tag may be.
        let Ok(tag) = tag.parse::<Tag>() else {
            return Ok(None);
        };
        let reference = Reference {
            tag: Some(tag),
            digest: None,
            ..reference.clone()
        };
        match self.find(&reference).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.is_absent() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Returns the URL of the next page, on the same server.
fn next(current: &Url, links: &[String]) -> Option<Url> {
    let target = links.iter().find_map(|header| target_of_next(header))?;
    let next = current.join(target).ok()?;
    (next.origin() == current.origin()).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::next;
    use url::Url;

    #[test]
    fn the_next_page_is_on_the_same_server() {
        let current: Url = "https://a.io/v2/x/referrers/sha256:0?n=1".parse().unwrap();
        for (link, expected) in [
            (
                "</v2/x/referrers/sha256:0?n=1&last=b>; rel=\"next\"",
                Some("/v2/x/referrers/sha256:0?n=1&last=b"),
            ),
            ("</a>; rel=\"prev\", </b>; title=x; REL=next", Some("/b")),
            ("<https://a.io/b>; rel=\"next\"", Some("/b")),
            ("<https://b.io/b>; rel=\"next\"", None),
            ("<http://a.io/b>; rel=\"next\"", None),
            ("</b>; rel=\"last\"", None),
            ("/b; rel=\"next\"", None),
            ("</b", None),
            ("", None),
        ] {
            let found = next(&current, &[link.to_owned()]);
            let expected = expected.map(|path| current.join(path).unwrap());
            assert_eq!(found, expected, "{link}");
        }
    }
}
