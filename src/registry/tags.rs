//! The list of a repository's tags, page by page.
//!
//! Source: OCI distribution specification, section "Listing Tags"; RFC 8288 for the header `Link`.

use std::collections::HashSet;

use serde::Deserialize;
use url::Url;

use super::tags_error::{MAX_PAGES, MAX_TAGS, TagsError};
use super::{Cause, Error, Object, Registry};
use crate::http::Request;
use crate::http::header::LINK;
use crate::name::{Repository, Tag};
use crate::printable::Printable;
use crate::safe_url::SafeUrl;

/// The number of tags that hocker requests for one page. Registries may send fewer, and some send all.
const PAGE: u32 = 1000;

/// The size limit of a page in bytes.
const MAX_PAGE_SIZE: usize = 16 << 20;

/// A page.
#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    tags: Option<Vec<String>>,
}

impl Registry {
    /// Lists all tags of a repository, in the order of the registry, which may be any. Texts that are not tags are left
    /// out.
    ///
    /// # Errors
    ///
    /// [`Cause::Tags`] if the list is too long, its pages form a circle, or the next page is on another host.
    pub async fn tags(&self, repository: &Repository) -> Result<Vec<Tag>, Error> {
        self.all_tags(repository).await.map_err(|cause| Error {
            object: Object::Tags(repository.clone()),
            registry: self.endpoint().registry_name().to_string(),
            cause,
        })
    }

    async fn all_tags(&self, repository: &Repository) -> Result<Vec<Tag>, Cause> {
        let mut url = self.endpoint().tags_url(repository, PAGE);
        let mut seen = HashSet::new();
        let mut tags = Vec::new();
        for _ in 0..MAX_PAGES {
            if !seen.insert(url.query().unwrap_or_default().to_owned()) {
                return Err(TagsError::Circle.into());
            }
            let request = Request::get(url.clone());
            let ((from, links), body) = self
                .document(repository, request, MAX_PAGE_SIZE, |response| {
                    (response.url().clone(), response.texts(LINK))
                })
                .await?;
            let page: Page = serde_json::from_slice(&body)
                .map_err(|error| TagsError::Invalid(Printable::new(&error.to_string())))?;
            let page = page.tags.unwrap_or_default();
            if tags.len() + page.len() > MAX_TAGS {
                return Err(TagsError::TooMany.into());
            }
            tags.extend(page.iter().filter_map(|tag| tag.parse::<Tag>().ok()));
            match next(&links, &from, repository)? {
                // Only the query is used, so that the registry's word leads to no other place.
                Some(next) => url.set_query(next.query()),
                None => return Ok(tags),
            }
        }
        Err(TagsError::TooManyPages.into())
    }
}

/// Returns the URL of the next page, which must be a list of the same repository on the same host.
fn next(links: &[String], from: &Url, repository: &Repository) -> Result<Option<Url>, TagsError> {
    let Some(target) = links.iter().find_map(|header| target_of_next(header)) else {
        return Ok(None);
    };
    let list = format!("/{repository}/tags/list");
    match from.join(target) {
        Ok(next) if next.host() == from.host() && next.path().ends_with(&list) => Ok(Some(next)),
        Ok(next) => Err(TagsError::Elsewhere(SafeUrl::new(&next))),
        Err(_) => Err(TagsError::Invalid(Printable::new(
            "the header `Link` has no valid URL",
        ))),
    }
}

/// Returns the target of the link with `rel=next` in a header `Link`.
pub(super) fn target_of_next(header: &str) -> Option<&str> {
    header.split('<').skip(1).find_map(|link| {
        let (target, parameters) = link.split_once('>')?;
        let is_next = parameters.split([';', ',']).any(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or_default();
            let value = value.trim().trim_matches('"');
            name.trim().eq_ignore_ascii_case("rel")
                && value
                    .split_ascii_whitespace()
                    .any(|relation| relation.eq_ignore_ascii_case("next"))
        });
        is_next.then_some(target)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found_among_the_links() {
        for (header, target) in [
            (
                r#"</v2/a/tags/list?n=1&last=b>; rel="next""#,
                Some("/v2/a/tags/list?n=1&last=b"),
            ),
            ("</x>; rel=next", Some("/x")),
            (
                r#"</a>; rel="first", </b>; title="c"; REL="prev next""#,
                Some("/b"),
            ),
            (r#"</a>; rel="prev""#, None),
            ("<", None),
            ("", None),
        ] {
            assert_eq!(target_of_next(header), target, "{header}");
        }
    }

    #[test]
    fn the_next_page_is_a_list_of_the_same_repository_on_the_same_host() {
        let from: Url = "https://r.example/v2/team/app/tags/list?n=1"
            .parse()
            .unwrap();
        let repository = "team/app".parse().unwrap();
        let at = |target: &str| next(&[format!("<{target}>; rel=next")], &from, &repository);
        for target in [
            "/v2/team/app/tags/list?last=1",
            "?last=1",
            "http://r.example/v2/team/app/tags/list?last=1",
            "https://r.example:8443/prefix/v2/team/app/tags/list?last=1",
        ] {
            let query = at(target).unwrap().unwrap().query().map(str::to_owned);
            assert_eq!(query.as_deref(), Some("last=1"), "{target}");
        }
        for target in [
            "https://evil.example/v2/team/app/tags/list?last=1",
            "//evil.example/v2/team/app/tags/list",
            "/v2/other/tags/list?last=1",
            "file:///v2/team/app/tags/list",
        ] {
            assert!(
                matches!(at(target), Err(TagsError::Elsewhere(_))),
                "{target}"
            );
        }
    }
}
