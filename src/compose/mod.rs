//! Compose files: which images the services of one run. Everything else in them is for whoever runs them.
//!
//! Source: the Compose specification, `05-services.md`, `10-fragments.md`, `12-interpolation.md`, `15-profiles.md`.

pub mod dotenv;
mod interpolation;
mod yaml;

pub use self::interpolation::InterpolationError;
pub use self::yaml::{MAX_FILE_SIZE, YamlError};

use std::collections::BTreeSet;

use self::interpolation::interpolate;
use self::yaml::Node;

/// A service may stand on another one, and that on another one; this deep.
const MAX_EXTENDS: usize = 16;

/// Looks up a variable; one that is set to nothing is not one that is not set.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What a Compose file says of images.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Images {
    /// The services that run one, in the order of the file.
    pub services: Vec<Service>,
    /// What people should know: what was left out, and why.
    pub notes: Vec<String>,
}

/// A service that runs an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// The image as the file names it, variables replaced.
    pub image: String,
    /// The platform that the file wants for it.
    pub platform: Option<String>,
}

/// Reads a Compose file. Services with profiles count where one of theirs is among `profiles`, or `*` is.
pub fn images(text: &str, profiles: &[String], variables: Lookup<'_>) -> Result<Images, Error> {
    let document = yaml::parse(text)?;
    let mut images = Images::default();
    if document.get("include").is_some() {
        images
            .notes
            .push("the files under `include` are not looked at; give them too".to_owned());
    }
    let services = document.get("services").ok_or(Error::NoServices)?;
    let Some(entries) = services.entries() else {
        return Err(Error::NoServices);
    };
    let mut unset = BTreeSet::new();
    for (name, service) in entries {
        let reader = Reader {
            services,
            name,
            variables,
        };
        if reader.is_active(service, profiles, &mut unset)? {
            reader.read(service, &mut images, &mut unset)?;
        }
    }
    let unset = unset
        .into_iter()
        .map(|name| format!("the variable {name} is not set, and taken for empty"));
    images.notes.extend(unset);
    Ok(images)
}

/// Reads one service.
struct Reader<'a> {
    services: &'a Node,
    name: &'a str,
    variables: Lookup<'a>,
}

impl Reader<'_> {
    fn is_active(
        &self,
        service: &Node,
        profiles: &[String],
        unset: &mut BTreeSet<String>,
    ) -> Result<bool, Error> {
        let Some(own) = service.get("profiles").and_then(Node::items) else {
            return Ok(true);
        };
        let mut active = own.is_empty();
        for profile in own {
            let profile = self.text(profile, unset)?.unwrap_or_default();
            active |= profiles.iter().any(|one| *one == profile || one == "*");
        }
        Ok(active)
    }

    fn read(
        &self,
        service: &Node,
        images: &mut Images,
        unset: &mut BTreeSet<String>,
    ) -> Result<(), Error> {
        let name = self.name;
        let (mut image, mut platform, mut is_built) = (None, None, false);
        let mut current = service;
        let mut elsewhere = false;
        for depth in 0.. {
            if depth == MAX_EXTENDS {
                return Err(Error::Extends(name.to_owned()));
            }
            if image.is_none() {
                image = self.field(current, "image", unset)?;
            }
            if platform.is_none() {
                platform = self.field(current, "platform", unset)?;
            }
            is_built |= current.get("build").is_some_and(|build| !build.is_null());
            let Some(extends) = current.get("extends") else {
                break;
            };
            elsewhere = extends.get("file").is_some();
            let base = match extends.get("service") {
                Some(service) => self.text(service, unset)?,
                None => self.text(extends, unset)?,
            };
            let base = base.filter(|_| !elsewhere);
            match base.as_deref().and_then(|base| self.services.get(base)) {
                Some(base) => current = base,
                None => break,
            }
        }
        match image {
            Some(image) => images.services.push(Service {
                name: name.to_owned(),
                image,
                platform,
            }),
            None if is_built => images
                .notes
                .push(format!("{name} is built from source and has no image")),
            None if elsewhere => images.notes.push(format!(
                "{name} extends a service of another file, which is not looked at"
            )),
            None => return Err(Error::NoImage(name.to_owned())),
        }
        Ok(())
    }

    /// The text of a field, if it is there and not empty.
    fn field(
        &self,
        service: &Node,
        field: &str,
        unset: &mut BTreeSet<String>,
    ) -> Result<Option<String>, Error> {
        match service.get(field) {
            Some(node) => Ok(self.text(node, unset)?.filter(|text| !text.is_empty())),
            None => Ok(None),
        }
    }

    fn text(&self, node: &Node, unset: &mut BTreeSet<String>) -> Result<Option<String>, Error> {
        let Some(text) = node.text() else {
            return Ok(None);
        };
        interpolate(text, self.variables, unset)
            .map(Some)
            .map_err(|source| Error::Interpolation {
                service: self.name.to_owned(),
                source,
            })
    }
}

/// A file whose images cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not YAML, or too much of it.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// Not a Compose file.
    #[error("it has no `services`")]
    NoServices,
    /// Neither an image nor something to build one from.
    #[error("the service {0} has neither `image` nor `build`")]
    NoImage(String),
    /// Services that stand on each other without end.
    #[error("the service {0} extends others without end")]
    Extends(String),
    /// Variables that are not right.
    #[error("the service {service} cannot be read")]
    Interpolation {
        /// Which.
        service: String,
        /// What is wrong.
        #[source]
        source: InterpolationError,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, profiles: &[&str]) -> Result<Images, Error> {
        let profiles: Vec<_> = profiles
            .iter()
            .map(|profile| (*profile).to_owned())
            .collect();
        let variables = |name: &str| match name {
            "TAG" => Some("17".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        images(text, &profiles, &variables)
    }

    fn names(images: &Images) -> Vec<&str> {
        images
            .services
            .iter()
            .map(|service| service.image.as_str())
            .collect()
    }

    #[test]
    fn reads_variables_anchors_profiles_and_what_is_built() {
        let text = "\
x-base: &base
  image: ${REGISTRY:-docker.io}/base:${TAG}
  restart: always
x-more: &more
  image: never
services:
  web:
    <<: *base
    ports: ['80:80']
  db:
    <<: [*base, *more]
    image: postgres:${EMPTY:-16}@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
  both:
    build: .
    image: both:1
  built:
    build: {context: .}
  debug:
    image: debug
    profiles: [dev, test]
  worker:
    extends: {service: web}
  far:
    extends: {file: other.yml, service: web}
include: [more.yml]
";
        let images = read(text, &[]).unwrap();
        assert_eq!(
            names(&images),
            [
                "docker.io/base:17",
                "postgres:16@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                "both:1",
                "docker.io/base:17",
            ]
        );
        assert_eq!(images.notes.len(), 3, "{:?}", images.notes);
        for profile in ["test", "*"] {
            assert!(names(&read(text, &[profile]).unwrap()).contains(&"debug"));
        }
        assert!(!names(&read(text, &["other"]).unwrap()).contains(&"debug"));
    }

    #[test]
    fn says_what_is_not_a_compose_file() {
        for (text, error) in [
            ("", "no `services`"),
            ("services: []", "no `services`"),
            ("a: b", "no `services`"),
            ("services: {a: {ports: []}}", "neither"),
            ("services: {a: {image: '${NONE}'}}", "neither"),
            (
                "services: {a: {image: '${NONE:?say it}'}}",
                "cannot be read",
            ),
            (
                "services: {a: {extends: b}, b: {extends: a}}",
                "without end",
            ),
            ("services: {a: [", "line "),
            ("services: *unknown", "line 1"),
        ] {
            let said = read(text, &[]).unwrap_err().to_string();
            assert!(said.contains(error), "{text}: {said}");
        }
    }

    #[test]
    fn a_variable_that_is_not_set_is_told_once() {
        let images = read(
            "services: {a: {image: 'a:1${NONE}'}, b: {image: 'b:1${NONE}'}}",
            &[],
        )
        .unwrap();
        assert_eq!(names(&images), ["a:1", "b:1"]);
        assert_eq!(
            images.notes,
            ["the variable NONE is not set, and taken for empty"]
        );
    }
}
