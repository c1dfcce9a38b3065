//! Docker's `manifest.json`: the member of an archive that names the config, the tags and the layers.
//!
//! Source: moby, `image/spec/v1.2.md`, section "Combined Image JSON + Filesystem Changeset Format".

use serde_json::json;

/// The member's name in the archive.
pub(crate) const NAME: &str = "manifest.json";

/// Returns the text for one image. `config` and `layers` are names of members; the layers start with the lowest.
#[must_use]
pub(crate) fn text(config: &str, repo_tags: &[String], layers: &[String]) -> Vec<u8> {
    json!([{
        "Config": config,
        "RepoTags": repo_tags,
        "Layers": layers,
    }])
    .to_string()
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_config_the_tags_and_the_layers_of_one_image() {
        let text = text("c.json", &["a:1".to_owned()], &["l.tar".to_owned()]);
        assert_eq!(
            String::from_utf8(text).unwrap(),
            r#"[{"Config":"c.json","Layers":["l.tar"],"RepoTags":["a:1"]}]"#
        );
    }
}
