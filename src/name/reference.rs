//! References: `debian`, `ghcr.io/a/b:1`, `localhost:5000/x@sha256:…`, parsed as `docker pull` does.
//!
//! Sources: github.com/distribution/reference (grammar and Docker Hub's defaults); OCI distribution
//! specification, section "Pulling manifests".

use std::fmt;
use std::str::FromStr;

use super::docker_hub::{self, DOCKER_HUB};
use super::{MAX_NAME_LENGTH, ParseError, RegistryName, Repository, Tag};
use crate::oci::digest::Digest;
use crate::safe_url;

/// The name of an image: registry, repository, and a tag or digest.
///
/// ```
/// use hocker::name::Reference;
///
/// let reference: Reference = "debian:12".parse()?;
/// assert_eq!(reference.registry.as_str(), "docker.io");
/// assert_eq!(reference.repository.as_str(), "library/debian");
/// assert_eq!(reference.tag_or_latest().as_str(), "12");
/// assert_eq!(reference.to_string(), "debian:12");
/// assert_eq!(reference.full_name(), "docker.io/library/debian");
/// # Ok::<(), hocker::name::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    /// The registry.
    pub registry: RegistryName,
    /// The repository in the registry.
    pub repository: Repository,
    /// The tag, if the reference has one.
    pub tag: Option<Tag>,
    /// The digest of the manifest or index, if the reference has one. The tag is ignored then.
    pub digest: Option<Digest>,
}

impl Reference {
    /// Parses the name of an image in a registry that is given separately. The name is used unchanged: `debian` does
    /// not become `library/debian`.
    pub fn in_registry(registry: RegistryName, name: &str) -> Result<Self, ParseError> {
        if name.contains("://") {
            return Err(ParseError::Url(safe_url::shown(name)));
        }
        check_start(name)?;
        let (name, tag, digest) = split_suffixes(name)?;
        Ok(Self {
            registry,
            repository: name.parse()?,
            tag,
            digest,
        })
    }

    /// Adds a tag or digest, the second argument of the classic commands. It must agree with the tag or digest of the
    /// reference.
    pub fn with_tag(mut self, text: &str) -> Result<Self, ParseError> {
        if text.contains("://") {
            return Err(ParseError::Url(safe_url::shown(text)));
        }
        if text.contains(':') {
            let digest = text.parse().map_err(ParseError::Digest)?;
            if self.digest.is_some_and(|own| own != digest) {
                return Err(ParseError::TwoTags);
            }
            self.digest = Some(digest);
        } else {
            let tag = text.parse()?;
            if self.tag.as_ref().is_some_and(|own| *own != tag) {
                return Err(ParseError::TwoTags);
            }
            self.tag = Some(tag);
        }
        Ok(self)
    }

    /// Returns the tag, or `latest` if the reference has none.
    #[must_use]
    pub fn tag_or_latest(&self) -> Tag {
        self.tag.clone().unwrap_or_else(Tag::latest)
    }

    /// Returns the last part of the manifest's URL: the digest if the reference has one, else the tag.
    #[must_use]
    pub fn manifest_reference(&self) -> String {
        match &self.digest {
            Some(digest) => digest.to_string(),
            None => self.tag_or_latest().to_string(),
        }
    }

    /// Returns the name in Docker's form, without tag and digest: `debian` for `docker.io/library/debian`. If the short
    /// name would mean another image (`docker.io/a.b/c` is not `a.b/c`), returns the full name.
    #[must_use]
    pub fn familiar_name(&self) -> String {
        if !self.registry.is_docker_hub() {
            return self.full_name();
        }
        let path = self.repository.as_str();
        let (first, rest) = path.split_once('/').unwrap_or(("", path));
        if first == "library" && !rest.contains('/') && !is_image_id(rest) {
            rest.to_owned()
        } else if is_registry(first) {
            self.full_name()
        } else {
            path.to_owned()
        }
    }

    /// Returns the full name, without tag and digest: `docker.io/library/debian`.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }
}

/// Docker's form, with the tag and the digest if the reference has them.
impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.familiar_name())?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Reference {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text.contains("://") {
            return Err(ParseError::Url(safe_url::shown(text)));
        }
        check_start(text)?;
        if is_image_id(text) {
            return Err(ParseError::Repository(text.to_owned()));
        }
        let (name, tag, digest) = split_suffixes(text)?;
        let (registry, path) = match name.split_once('/') {
            Some((first, rest)) if is_registry(first) => (first, rest),
            _ => (DOCKER_HUB, name),
        };
        let registry = if registry == docker_hub::INDEX {
            DOCKER_HUB
        } else {
            registry
        };
        let repository = if registry == DOCKER_HUB && !path.contains('/') {
            format!("library/{path}")
        } else {
            path.to_owned()
        };
        let reference = Self {
            registry: registry.parse()?,
            repository: repository.parse()?,
            tag,
            digest,
        };
        if reference.full_name().len() > MAX_NAME_LENGTH {
            return Err(ParseError::TooLong);
        }
        Ok(reference)
    }
}

/// Returns whether the part before the first slash is a registry, not the first component of a repository on Docker
/// Hub.
fn is_registry(first: &str) -> bool {
    first.contains(['.', ':', '['])
        || first == "localhost"
        || first.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// Refuses texts that users may mean, but that are no names.
fn check_start(text: &str) -> Result<(), ParseError> {
    if text.is_empty() {
        return Err(ParseError::Empty);
    }
    let is_path = matches!(text, "." | "..")
        || ["/", "./", "../"]
            .iter()
            .any(|start| text.starts_with(start));
    if is_path {
        return Err(ParseError::Path(text.to_owned()));
    }
    Ok(())
}

/// Returns whether a text is an image ID, which is not a name (as in distribution's `ParseNormalizedNamed`).
fn is_image_id(path: &str) -> bool {
    path.len() == 64 && path.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Splits `:tag` and `@digest` from the end of a name.
fn split_suffixes(text: &str) -> Result<(&str, Option<Tag>, Option<Digest>), ParseError> {
    let (text, digest) = match text.split_once('@') {
        Some((name, digest)) => (name, Some(digest.parse().map_err(ParseError::Digest)?)),
        None => (text, None),
    };
    // A colon before a slash belongs to a port or an IPv6 host.
    let (name, tag) = match text.rsplit_once(':') {
        Some((name, tag)) if !tag.contains(['/', ']']) => (name, Some(tag.parse()?)),
        _ => (text, None),
    };
    Ok((name, tag, digest))
}

#[cfg(test)]
mod tests {
    // `tests/vectors` contains the valid and invalid references.
    use super::*;
    use proptest::prelude::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn parse(text: &str) -> Reference {
        text.parse()
            .unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn tag_and_digest_stand_together_and_the_digest_is_asked_for() {
        let reference = parse(&format!("localhost:5000/x:1@{DIGEST}"));
        assert_eq!(reference.tag.as_ref().map(Tag::as_str), Some("1"));
        assert_eq!(reference.manifest_reference(), DIGEST);
        assert_eq!(
            reference.to_string(),
            format!("localhost:5000/x:1@{DIGEST}")
        );
    }

    #[test]
    fn urls_are_refused_without_their_passwords() {
        for text in [
            "https://me:hunter2@ghcr.io/a",
            "https://me:hunter2@ghcr.io:99999/A:1",
            "https://me:hunt/er2@ghcr.io/a",
        ] {
            let registry = || "ghcr.io".parse().unwrap();
            for error in [
                text.parse::<Reference>().unwrap_err(),
                text.parse::<RegistryName>().unwrap_err(),
                text.parse::<Repository>().unwrap_err(),
                text.parse::<Tag>().unwrap_err(),
                Reference::in_registry(registry(), text).unwrap_err(),
                parse("debian").with_tag(text).unwrap_err(),
                ParseError::Digest(text.parse::<Digest>().unwrap_err()),
            ] {
                let error = error.to_string();
                assert!(!error.contains("hunt") && !error.contains("er2"), "{error}");
                assert!(error.contains("ghcr.io"), "{error}");
            }
        }
    }

    #[test]
    fn the_second_argument_must_agree_with_the_first() {
        assert_eq!(parse("debian").with_tag("12").unwrap(), parse("debian:12"));
        assert_eq!(
            parse("debian:12").with_tag("12").unwrap(),
            parse("debian:12")
        );
        assert_eq!(parse("debian:12").with_tag("13"), Err(ParseError::TwoTags));
        assert_eq!(
            parse("debian:12")
                .with_tag(DIGEST)
                .unwrap()
                .manifest_reference(),
            DIGEST
        );
    }

    #[test]
    fn a_name_in_a_registry_named_apart_is_taken_as_it_is() {
        let reference =
            Reference::in_registry("localhost:5000".parse().unwrap(), "debian").unwrap();
        assert_eq!(reference.repository.as_str(), "debian");
        assert_eq!(reference.repository.split(), ("", "debian"));
        assert_eq!(parse("ghcr.io/a/b/c").repository.split(), ("a/b", "c"));
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused_without_a_panic(text in ".{0,80}") {
            let _ = text.parse::<Reference>();
        }

        #[test]
        fn what_is_printed_parses_to_the_same_reference(
            registry in "([a-z]{1,5}\\.[a-z]{2,3}(:[1-9][0-9]{0,3})?/)?",
            path in "[a-z0-9]{1,5}(/[a-z0-9]{1,5}){0,3}",
            tag in "(:[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,10})?",
        ) {
            let reference = parse(&format!("{registry}{path}{tag}"));
            prop_assert_eq!(parse(&reference.to_string()), reference);
        }
    }
}
