//! Docker Hub's own API, which states when a tag was pushed. No other registry has it, and it is asked only if the user
//! trusts Docker Hub for that.

use serde::Deserialize;
use url::Url;

use super::Registry;
use super::send::Attempts;
use crate::http::{Request, StatusCode};
use crate::name::{Repository, Tag};
use crate::oci::digest::Digest;
use crate::oci::timestamp::Timestamp;

/// The base of the API.
const API: &str = "https://hub.docker.com/v2/";

/// The size limit of an answer in bytes.
const MAX_SIZE: usize = 1 << 20;

/// The part of an answer that matters.
#[derive(Deserialize)]
struct HubTag {
    digest: Option<Digest>,
    tag_last_pushed: Option<Timestamp>,
}

impl Registry {
    /// Returns the time, in seconds since 1970 (UTC), at which Docker Hub received this digest under this tag. Returns
    /// `None` if this registry is not Docker Hub, or if Docker Hub does not state the time for this digest.
    pub async fn docker_hub_push(
        &self,
        repository: &Repository,
        tag: &Tag,
        digest: Digest,
    ) -> Option<i64> {
        if !self.endpoint().registry_name().is_docker_hub() {
            return None;
        }
        let url = format!("{API}repositories/{repository}/tags/{tag}");
        // Without credentials: this is not the registry.
        let request = Request::get(url.parse::<Url>().ok()?);
        let response = self.round_trip(&request, Attempts::ByPolicy).await.ok()?;
        if response.status() != StatusCode::OK {
            return None;
        }
        pushed(&response.bytes(MAX_SIZE).await.ok()?, digest)
    }
}

fn pushed(body: &[u8], digest: Digest) -> Option<i64> {
    let tag: HubTag = serde_json::from_slice(body).ok()?;
    let time = tag.tag_last_pushed.filter(|_| tag.digest == Some(digest))?;
    Some(time.seconds())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_counts_only_for_the_digest_that_was_pushed() {
        let digest = |digit: &str| format!("sha256:{}", digit.repeat(64));
        let body = format!(
            r#"{{"name": "1.27.4", "digest": "{}", "last_updated": "2020-01-01T00:00:00Z", "tag_last_pushed": "2024-11-26T18:41:27.123456Z", "images": []}}"#,
            digest("a")
        );
        let of = |body: &str, digit| pushed(body.as_bytes(), digest(digit).parse().unwrap());
        assert_eq!(of(&body, "a"), Some(1_732_646_487));
        assert_eq!(of(&body, "b"), None);
        for body in [
            "",
            "{}",
            "[]",
            &body.replace("tag_last_pushed", "x"),
            &body.replace("2024", "20x4"),
            &body.replace("sha256", "md5"),
        ] {
            assert_eq!(of(body, "a"), None, "{body}");
        }
    }
}
