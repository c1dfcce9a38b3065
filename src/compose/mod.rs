//! Compose files: which images the services of one run. Everything else in them is for whoever runs them.
//!
//! Source: the Compose specification, `05-services.md`, `10-fragments.md`, `12-interpolation.md`, `15-profiles.md`.

pub mod dotenv;
mod interpolation;
mod variables;
mod yaml;

pub use self::interpolation::InterpolationError;
pub use self::variables::{Lookup, Value, Variables};
pub use self::yaml::{MAX_FILE_SIZE, YamlError};

use self::interpolation::interpolate;
use self::variables::Replacing;
use self::yaml::Node;
use crate::printable::Printable;

/// A service may stand on another one, and that on another one; this deep.
const MAX_EXTENDS: usize = 16;

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
    /// The same as it stands in the file.
    pub written: String,
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
    let mut replacing = Replacing::new();
    for (name, service) in entries {
        let reader = Reader {
            services,
            name,
            variables,
        };
        if reader.is_active(service, profiles, &mut replacing)? {
            reader.read(service, &mut images, &mut replacing)?;
        }
    }
    let unset = replacing
        .unset
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
        replacing: &mut Replacing,
    ) -> Result<bool, Error> {
        let Some(own) = service.get("profiles").and_then(Node::items) else {
            return Ok(true);
        };
        let mut active = own.is_empty();
        for profile in own {
            let profile = self.text(profile, replacing)?.unwrap_or_default();
            active |= profiles.iter().any(|one| *one == profile || one == "*");
        }
        Ok(active)
    }

    fn read(
        &self,
        service: &Node,
        images: &mut Images,
        replacing: &mut Replacing,
    ) -> Result<(), Error> {
        let name = self.name;
        let shown = Printable::new(name);
        let (mut image, mut platform, mut is_built) = (None, None, false);
        let mut current = service;
        let mut elsewhere = false;
        for depth in 0.. {
            if depth == MAX_EXTENDS {
                return Err(Error::Extends(shown));
            }
            if image.is_none()
                && let Some(replaced) = self.field(current, "image", replacing)?
            {
                let written = current.get("image").and_then(Node::text);
                image = Some((replaced, written.unwrap_or_default().to_owned()));
            }
            if platform.is_none() {
                platform = self.field(current, "platform", replacing)?;
            }
            is_built |= current.get("build").is_some_and(|build| !build.is_null());
            let Some(extends) = current.get("extends") else {
                break;
            };
            elsewhere = extends.get("file").is_some();
            let base = match extends.get("service") {
                Some(service) => self.text(service, replacing)?,
                None => self.text(extends, replacing)?,
            };
            let base = base.filter(|_| !elsewhere);
            match base.as_deref().and_then(|base| self.services.get(base)) {
                Some(base) => current = base,
                None => break,
            }
        }
        match image {
            Some((image, written)) => images.services.push(Service {
                name: name.to_owned(),
                image,
                written,
                platform,
            }),
            None if is_built => images
                .notes
                .push(format!("{shown} is built from source and has no image")),
            None if elsewhere => images.notes.push(format!(
                "{shown} extends a service of another file, which is not looked at"
            )),
            None => return Err(Error::NoImage(shown)),
        }
        Ok(())
    }

    /// The text of a field, if it is there and not empty.
    fn field(
        &self,
        service: &Node,
        field: &str,
        replacing: &mut Replacing,
    ) -> Result<Option<String>, Error> {
        match service.get(field) {
            Some(node) => Ok(self.text(node, replacing)?.filter(|text| !text.is_empty())),
            None => Ok(None),
        }
    }

    fn text(&self, node: &Node, replacing: &mut Replacing) -> Result<Option<String>, Error> {
        let Some(text) = node.text() else {
            return Ok(None);
        };
        let value = interpolate(text, self.variables, replacing).map_err(|source| {
            Error::Interpolation {
                service: Printable::new(self.name),
                source,
            }
        })?;
        match value.secret {
            Some(variable) => Err(Error::Secret {
                service: Printable::new(self.name),
                variable,
            }),
            None => Ok(Some(value.text)),
        }
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
    NoImage(Printable),
    /// Services that stand on each other without end.
    #[error("the service {0} extends others without end")]
    Extends(Printable),
    /// Variables that are not right.
    #[error("the service {service} cannot be read")]
    Interpolation {
        /// Which.
        service: Printable,
        /// What is wrong.
        #[source]
        source: InterpolationError,
    },
    /// A secret in what registries are told.
    #[error(
        "the service {service} uses {variable}, which looks like a secret, in what registries are told"
    )]
    Secret {
        /// Which.
        service: Printable,
        /// The variable's name.
        variable: String,
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
        let variables = |name: &str| {
            let text = match name {
                "TAG" => "17",
                "DB_PASSWORD" => "hunter2",
                "EMPTY" => "",
                _ => return None,
            };
            Some(Value::of(name, text.to_owned()))
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
            (
                "services: {a: {image: 'a:$DB_PASSWORD'}}",
                "a uses DB_PASSWORD",
            ),
            ("services: {\"a\\e\": {ports: []}}", "a\\u{1b} has neither"),
            ("services: {a: [", "line "),
            ("services: *unknown", "line 1"),
        ] {
            let said = read(text, &[]).unwrap_err().to_string();
            assert!(said.contains(error), "{text}: {said}");
            assert!(!said.contains("hunter2"), "{text}: {said}");
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
