//! The Nix expressions that `docker2nix` prints.
//!
//! There are two. The *classic* expression names the hash of the config and of every layer, with the attributes that
//! the Haskell program printed. It works with any `fetchdocker` since 2017. The *pinned* expression contains the
//! unchanged text of the manifest, which has all hashes. So the digest of the registry stays valid.

use super::hash_text;
use super::render::{self, Binding, Expression as Node};
use crate::name::endpoint::Endpoint;
use crate::name::{Repository, Tag};
use crate::oci::digest::Digest;
use crate::oci::document::Document;
use crate::oci::manifest::Manifest;

/// The values in an expression.
#[derive(Clone, Copy, Debug)]
pub struct Expression<'a> {
    /// The address of the registry.
    pub endpoint: &'a Endpoint,
    /// The image's repository.
    pub repository: &'a Repository,
    /// The tag. `None` if the reference has only a digest, which the classic expression cannot contain.
    pub tag: Option<&'a Tag>,
    /// The name of the result in the Nix store. The default is the last part of the repository.
    pub name: Option<&'a str>,
    /// The image's manifest.
    pub manifest: &'a Document<Manifest>,
}

impl Expression<'_> {
    /// Returns the expression that names every hash.
    pub fn classic(&self) -> Result<String, Error> {
        let mut bindings = self.bindings();
        bindings.push(Binding::Set(
            "imageConfig",
            Node::Call {
                function: "fetchDockerConfig",
                recursive: false,
                bindings: vec![
                    Binding::Inherit(vec!["tag", "registry", "repository", "imageName"]),
                    Binding::Set("sha256", hash(&self.manifest.config.digest)?),
                ],
            },
        ));
        let layers = self.manifest.layers.iter().enumerate();
        let layers = layers.map(|(number, layer)| {
            let mut bindings = vec![
                Binding::Inherit(vec!["registry", "repository", "imageName"]),
                Binding::Set("layerDigest", Node::Text(layer.digest.hex())),
                Binding::Set("sha256", hash(&layer.digest)?),
            ];
            // The Haskell program did not support such layers.
            if !layer.urls.is_empty() {
                bindings.push(Binding::Set("urls", Node::Texts(layer.urls.clone())));
            }
            let call = Node::Call {
                function: "fetchDockerLayer",
                recursive: false,
                bindings,
            };
            Ok((format!("layer{number}"), call))
        });
        bindings.push(Binding::Set(
            "imageLayers",
            Node::ListOf(layers.collect::<Result<_, Error>>()?),
        ));
        Ok(render::function(
            &["fetchDockerConfig", "fetchDockerLayer", "fetchdocker"],
            &Node::Call {
                function: "fetchdocker",
                recursive: true,
                bindings,
            },
        ))
    }

    /// Returns the expression that contains the text of the manifest.
    pub fn pinned(&self) -> Result<String, Error> {
        for descriptor in self.manifest.layers.iter().chain([&self.manifest.config]) {
            require_sha256(&descriptor.digest)?;
        }
        let text = std::str::from_utf8(self.manifest.bytes()).map_err(Error::NotUtf8)?;
        let mut bindings = self.bindings();
        bindings.push(Binding::Set(
            "imageManifest",
            Node::Document(text.to_owned()),
        ));
        Ok(render::function(
            &["fetchdocker"],
            &Node::Call {
                function: "fetchdocker",
                recursive: false,
                bindings,
            },
        ))
    }

    /// Returns the attributes that both expressions have.
    fn bindings(&self) -> Vec<Binding> {
        let (repository, image_name) = self.repository.split();
        let text = |text: &str| Node::Text(text.to_owned());
        vec![
            Binding::Set("name", text(self.name.unwrap_or(image_name))),
            Binding::Set("registry", text(self.endpoint.base().as_str())),
            Binding::Set("repository", text(repository)),
            Binding::Set("imageName", text(image_name)),
            Binding::Set("tag", self.tag.map_or(Node::Null, |tag| text(tag.as_str()))),
        ]
    }
}

fn hash(digest: &Digest) -> Result<Node, Error> {
    require_sha256(digest)?;
    Ok(Node::Text(hash_text::nix32(digest)))
}

fn require_sha256(digest: &Digest) -> Result<(), Error> {
    match digest {
        Digest::Sha256(_) => Ok(()),
        Digest::Sha512(_) => Err(Error::Algorithm(*digest)),
    }
}

/// The image cannot be written as an expression.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A digest is not SHA-256, and the Nix functions support only SHA-256.
    #[error("cannot use the digest {0}: the expressions support only sha256")]
    Algorithm(Digest),
    /// The manifest is not UTF-8.
    #[error("the manifest is not valid UTF-8")]
    NotUtf8(#[source] std::str::Utf8Error),
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CONFIG: &str = "054abe38b1e6f863befa4258cbfaf127b1cc9440d2e2e349b15d22e676b591e7";
    const LAYER: &str = "cd0a524342efac6edff500c17e625735bbe479c926439b263bbe3c8518a0849c";

    fn manifest(layers: &[&str], separator: &str) -> Document<Manifest> {
        foreign(layers, separator, &[])
    }

    /// Returns a manifest whose layers have these URLs.
    fn foreign(layers: &[&str], separator: &str, urls: &[String]) -> Document<Manifest> {
        let urls = serde_json::json!(urls);
        let layers: Vec<String> = layers
            .iter()
            .map(|digest| {
                format!(r#"{{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","size":1,"digest":"sha256:{digest}","urls":{urls}}}"#)
            })
            .collect();
        let text = format!(
            r#"{{"schemaVersion":2,{separator}"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":{{"mediaType":"application/vnd.docker.container.image.v1+json","size":1,"digest":"sha256:{CONFIG}"}},{separator}"layers":[{}]}}"#,
            layers.join(&format!(",{separator}"))
        );
        Document::parse(text.into_bytes(), None).unwrap()
    }

    #[test]
    fn debian_jessie_gives_the_classic_expression() {
        let manifest = manifest(&[LAYER], "");
        let tag = "jessie".parse().unwrap();
        let expression = Expression {
            endpoint: &"https://registry-1.docker.io/v2/".parse().unwrap(),
            repository: &"library/debian".parse().unwrap(),
            tag: Some(&tag),
            name: None,
            manifest: &manifest,
        };
        let expected = r#"{
  fetchDockerConfig,
  fetchDockerLayer,
  fetchdocker,
}:
fetchdocker rec {
  name = "debian";
  registry = "https://registry-1.docker.io/v2/";
  repository = "library";
  imageName = "debian";
  tag = "jessie";
  imageConfig = fetchDockerConfig {
    inherit
      tag
      registry
      repository
      imageName
      ;
    sha256 = "1rwinmvfc8jxn54y7qnj82acrc97y7xcnn22zaz67y76n4wbwjh5";
  };
  imageLayers =
    let
      layer0 = fetchDockerLayer {
        inherit registry repository imageName;
        layerDigest = "cd0a524342efac6edff500c17e625735bbe479c926439b263bbe3c8518a0849c";
        sha256 = "1744l0c8ag5y7ck9nhr6r5wy9frmaxi7xh80ypgnxb7g891m42nd";
      };
    in
    [ layer0 ];
}
"#;
        assert_eq!(expression.classic().unwrap(), expected);
    }

    /// Returns the classic expression of an image whose layer is at these URLs.
    fn classic_with(urls: &[String]) -> String {
        let manifest = foreign(&[LAYER], "", urls);
        let expression = Expression {
            endpoint: &"localhost:5000".parse().unwrap(),
            repository: &"app".parse().unwrap(),
            tag: None,
            name: None,
            manifest: &manifest,
        };
        expression.classic().unwrap()
    }

    #[test]
    fn the_classic_expression_has_the_urls_of_a_foreign_layer() {
        let urls = ["https://a.example/layer", "https://b.example/${x}"].map(str::to_owned);
        assert!(!classic_with(&[]).contains("urls"));
        for (count, expected) in [
            (
                1,
                "        urls = [ \"https://a.example/layer\" ];\n      };",
            ),
            (
                2,
                "        urls = [\n          \"https://a.example/layer\"\n          \"https://b.example/\\${x}\"\n        ];\n      };",
            ),
        ] {
            let text = classic_with(&urls[..count]);
            assert!(text.contains(expected), "{text}");
        }
        // Lengths around the one at which the list no longer fits on the line.
        for length in 70..90 {
            let text = classic_with(&["x".repeat(length)]);
            assert_eq!(nixfmt_rs::format(&text).unwrap(), text);
        }
    }

    #[test]
    fn the_pinned_expression_contains_the_manifest_and_null_for_an_absent_tag() {
        let manifest = manifest(&[LAYER], "\n  ");
        let expression = Expression {
            endpoint: &"localhost:5000".parse().unwrap(),
            repository: &"app".parse().unwrap(),
            tag: None,
            name: Some("other"),
            manifest: &manifest,
        };
        let text = expression.pinned().unwrap();
        let start = "{ fetchdocker }:\nfetchdocker {\n  name = \"other\";\n  \
                     registry = \"http://localhost:5000/v2/\";\n  repository = \"\";\n  \
                     imageName = \"app\";\n  tag = null;\n  imageManifest = ''\n    {\"schemaVersion\":2,\n      \"mediaType\"";
        assert!(text.starts_with(start), "{text}");
        assert!(text.ends_with("}]}'';\n}\n"), "{text}");
    }

    #[test]
    fn refuses_digests_of_another_algorithm_by_name() {
        let sha512 = format!("sha512:{}", "0".repeat(128));
        let text = format!(
            r#"{{"schemaVersion":2,"config":{{"mediaType":"application/vnd.oci.image.config.v1+json","size":1,"digest":"{sha512}"}},"layers":[]}}"#
        );
        let manifest = Document::parse(text.into_bytes(), None).unwrap();
        let expression = Expression {
            endpoint: &"ghcr.io".parse().unwrap(),
            repository: &"a/b".parse().unwrap(),
            tag: None,
            name: None,
            manifest: &manifest,
        };
        for result in [expression.classic(), expression.pinned()] {
            assert!(result.unwrap_err().to_string().contains(&sha512));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn the_layout_is_nixfmts(
            layers in 0usize..40,
            repository in "[a-z]{1,90}(/[a-z0-9]{1,60}){0,3}",
            tag in proptest::option::of("rec|let|[a-z0-9_]{1,128}"),
            name in proptest::option::of("(\\PC|[\"$\\\\{}'\n\r\t]|\\$\\{){0,120}"),
            separator in "(\n? ){0,5}",
            urls in proptest::collection::vec("([ -~]|[\"$\\\\{}'\n\r\t]|\\$\\{){0,120}", 0..4),
        ) {
            // Half of the layers repeat.
            let digests: Vec<String> = (0..layers).map(|number| format!("{:064x}", number / 2)).collect();
            let digests: Vec<&str> = digests.iter().map(String::as_str).collect();
            let manifest = foreign(&digests, &separator, &urls);
            let tag = tag.map(|tag| tag.parse::<Tag>().unwrap());
            let expression = Expression {
                endpoint: &"https://[::1]:5000/v2/".parse().unwrap(),
                repository: &repository.parse().unwrap(),
                tag: tag.as_ref(),
                name: name.as_deref(),
                manifest: &manifest,
            };
            for text in [expression.classic().unwrap(), expression.pinned().unwrap()] {
                prop_assert_eq!(nixfmt_rs::format(&text).unwrap(), text);
            }
        }
    }
}
