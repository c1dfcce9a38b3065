//! Compose files: the images of their services, and those that volumes mount. The module ignores everything else in the
//! files.
//!
//! Source: the Compose specification, `05-services.md`, `10-fragments.md`, `12-interpolation.md`, `13-merge.md`,
//! `14-include.md`, `15-profiles.md`.

pub mod dotenv;
mod files;
mod interpolation;
mod interpolation_error;
mod model;
mod pins;
mod project;
mod service;
mod variables;
mod volumes;
mod yaml;

use std::io;
use std::path::Path;

pub use self::interpolation_error::InterpolationError;
pub use self::model::images;
pub use self::pins::{HEADER, Pins};
pub use self::project::{Directory, Project, read_text};
pub use self::variables::{Lookup, Value, Variables};
pub use self::volumes::ImageVolume;
pub use self::yaml::{MAX_FILE_SIZE, YamlError};

use crate::printable::Printable;

/// The images of a Compose file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Images {
    /// The services that run an image, in the order of the file.
    pub services: Vec<Service>,
    /// The volumes of active services that mount an image.
    pub volumes: Vec<ImageVolume>,
    /// Notes for the user: what was ignored, and why.
    pub notes: Vec<String>,
}

/// A service that runs an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The name.
    pub name: String,
    /// The image that the file names, with its variables replaced.
    pub image: String,
    /// The image as the file has it, with variables.
    pub written: String,
    /// The platform that the file requests.
    pub platform: Option<String>,
    /// Whether the service also has a `build`, whose result gets the name of the image.
    pub is_built: bool,
    /// Whether another file has the service, which the project includes.
    pub is_included: bool,
}

/// The images of the file cannot be determined.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is not YAML, or too large.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// The file is not a Compose file.
    #[error("the file has no `services`")]
    NoServices,
    /// A service has neither an image nor a build.
    #[error("the service {0} has neither `image` nor `build`")]
    NoImage(Printable),
    /// A volume of the type `image` has no source or no target.
    #[error("the service {0} has a volume of the type `image` without `source` or `target`")]
    NoVolume(Printable),
    /// A service extends one that does not exist.
    #[error("a service extends {0}, which is not in the file")]
    NoBase(Printable),
    /// Services extend each other in a cycle, or too many do.
    #[error("services extend each other in a cycle, or too many services do")]
    Extends,
    /// Files include each other in a cycle, or too many do.
    #[error("files include or extend each other in a cycle, or too many files do")]
    Files,
    /// Two files have the same service, with a difference.
    #[error("the service {0} differs between a file and one that it includes")]
    Conflict(Printable),
    /// The variables of a value cannot be replaced.
    #[error("cannot replace the variables of {what}")]
    Interpolation {
        /// The service, or the field.
        what: Printable,
        /// The cause.
        #[source]
        source: InterpolationError,
    },
    /// A secret would become part of a name, which hocker sends to registries.
    #[error("{what} uses {variable}, which looks like a secret and must not become part of a name")]
    Secret {
        /// The service, or the field.
        what: Printable,
        /// The name of the variable.
        variable: String,
    },
    /// Another file of the project cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: Printable,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A file of variables is invalid.
    #[error("cannot read {path}")]
    Dotenv {
        /// The file.
        path: Printable,
        /// The cause.
        #[source]
        source: dotenv::Error,
    },
    /// Another file of the project is invalid.
    #[error("cannot use {path}")]
    In {
        /// The file.
        path: Printable,
        /// The cause.
        #[source]
        source: Box<Self>,
    },
}

impl Error {
    fn of(self, path: &Path) -> Self {
        Self::In {
            path: Printable::new(&path.to_string_lossy()),
            source: Box::new(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::collections::BTreeMap;

    /// The files of a project beside the one that is read.
    type Others<'a> = BTreeMap<&'a str, &'a str>;

    impl Project for Others<'_> {
        fn name(&self) -> String {
            "project".to_owned()
        }

        fn read(&self, path: &Path) -> io::Result<String> {
            let text = path.to_str().and_then(|path| self.get(path));
            text.map(|text| (*text).to_owned())
                .ok_or_else(|| io::ErrorKind::NotFound.into())
        }
    }

    fn read(text: &str, profiles: &[&str]) -> Result<Images, Error> {
        read_with(text, &[], profiles)
    }

    fn read_with(text: &str, others: &[(&str, &str)], profiles: &[&str]) -> Result<Images, Error> {
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
        let others: Others<'_> = others.iter().copied().collect();
        images(text, &profiles, &variables, &others)
    }

    fn names(images: &Images) -> Vec<&str> {
        images
            .services
            .iter()
            .map(|service| service.image.as_str())
            .collect()
    }

    #[test]
    fn reads_variables_anchors_profiles_and_builds() {
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
  none:
    provider: {type: cloud}
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
        assert_eq!(images.notes.len(), 2, "{:?}", images.notes);
        for profile in ["test", "*"] {
            assert!(names(&read(text, &[profile]).unwrap()).contains(&"debug"));
        }
        assert!(!names(&read(text, &["other"]).unwrap()).contains(&"debug"));
    }

    #[test]
    fn an_error_states_why_a_file_is_not_a_compose_file() {
        for (text, error) in [
            ("", "no `services`"),
            ("services: []", "no `services`"),
            ("a: b", "no `services`"),
            ("services: {a: {ports: []}}", "neither"),
            ("services: {a: {image: '${NONE}'}}", "neither"),
            (
                "services: {a: {image: '${NONE:?say it}'}}",
                "cannot replace the variables of a",
            ),
            ("services: {a: {extends: b}, b: {extends: a}}", "in a cycle"),
            (
                "services: {a: {extends: {file: x, service: b}}}",
                "cannot read x",
            ),
            ("services: {a: {extends: b, image: a}}", "extends b, which"),
            ("services: {a: {image: '${EMPTY}'}}", "neither"),
            ("include: [x]", "cannot read x"),
            ("include: ['$DB_PASSWORD']", "include uses DB_PASSWORD"),
            ("name: a$DB_PASSWORD\nservices: {}", "name uses DB_PASSWORD"),
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
    fn documents_and_extended_services_are_merged_as_compose_merges_them() {
        // Compose 2.26 gives these results for the same files.
        for (text, profiles, expected) in [
            (
                "b: {image: b, profiles: [p]}\n a: {extends: b}",
                &[][..],
                &[][..],
            ),
            (
                "b: {image: b, profiles: [p]}\n a: {extends: {service: b}, profiles: [q]}",
                &["q"],
                &["b"],
            ),
            (
                "b: {image: b}\n a: {extends: {service: b}, image: , build: .}",
                &[],
                &["b", "b"],
            ),
            (
                "b: {image: b}\n a: {extends: {service: b}, image: '${NONE}', build: .}",
                &[],
                &["b"],
            ),
            (
                "b: {image: b}\n a: {extends: {service: b}, image: !reset null, build: .}",
                &[],
                &["b"],
            ),
            (
                "a: {image: a1}\n b: {image: b, profiles: [p]}\n---\nservices:\n a: {image: a2}\n b: {profiles: [q]}\n \
                 c: {image: c}",
                &["q"],
                &["a2", "b", "c"],
            ),
            (
                "a: {image: a}\n b: {image: b, profiles: [p]}\n---\nservices:\n a: {image: !reset null, build: .}\n b: \
                 {profiles: !reset []}",
                &[],
                &["b"],
            ),
            (
                "b: {image: b, profiles: [p]}\n---\nservices:\n b: {profiles: !override [q]}",
                &["p"],
                &[],
            ),
            (
                "b: {image: b1}\n a: {extends: b}\n---\nservices:\n b: {image: b2}",
                &[],
                &["b2", "b1"],
            ),
            (
                "b: {image: b1}\n a: {extends: b}\n---\nservices:\n a: {command: x}\n b: !reset null",
                &[],
                &["b1"],
            ),
        ] {
            let images = read(&format!("services:\n {text}\n"), profiles).unwrap();
            assert_eq!(names(&images), expected, "{text}");
        }
    }

    #[test]
    fn included_and_extended_files_are_read_as_compose_reads_them() {
        let include = "include: [sub/i.yaml]\nservices: {b: {image: 'b:${T}$TAG'}}";
        let extends = "services: {x: {extends: {file: sub/e.yaml, service: e}}}";
        for (text, others, expected) in [
            (
                include,
                &[
                    ("sub/i.yaml", "services: {i: {image: 'i:${T}$TAG'}}"),
                    ("sub/.env", "T=sub\nTAG=0"),
                ][..],
                &["b:17", "i:sub17"][..],
            ),
            (
                "include: [{path: sub/i.yaml, env_file: x.env}]",
                &[
                    ("sub/i.yaml", "services: {i: {image: 'i:$T'}}"),
                    ("sub/.env", "T=sub"),
                    ("x.env", "T=x"),
                ],
                &["i:x"],
            ),
            (
                "include: [{path: sub/i.yaml, project_directory: o}]",
                &[
                    (
                        "sub/i.yaml",
                        "services: {k: {extends: {file: k.yaml, service: k}}}",
                    ),
                    ("sub/k.yaml", "services: {k: {image: wrong}}"),
                    ("o/k.yaml", "services: {k: {image: 'k:$T'}}"),
                    ("o/.env", "T=o"),
                ],
                &["k:o"],
            ),
            (
                "include: [{path: [sub/i.yaml, sub/j.yaml]}]\nservices: {x: {image: x}}",
                &[
                    ("sub/i.yaml", "services: {i: {image: i}}"),
                    ("sub/j.yaml", "services: {i: {image: j}}"),
                ],
                &["x", "j"],
            ),
            (
                "include: [sub/i.yaml]\nservices: {i: {image: i}}",
                &[("sub/i.yaml", "services: {i: {image: i}}")],
                &["i"],
            ),
            (
                extends,
                &[
                    (
                        "sub/e.yaml",
                        "services: {e: {extends: {file: f.yaml, service: f}, profiles: []}}",
                    ),
                    (
                        "sub/f.yaml",
                        "services: {f: {image: 'f:$COMPOSE_PROJECT_NAME'}, z: {extends: nothing}}",
                    ),
                ],
                &["f:project"],
            ),
            (
                extends,
                &[(
                    "sub/e.yaml",
                    "services: {e: {image: e1}}\n---\nservices: {e: {image: e2}}",
                )],
                &["e2"],
            ),
            (
                "name: My-$TAG\ninclude: [i.yaml]\nservices: {x: {image: 'x:$COMPOSE_PROJECT_NAME'}}",
                &[(
                    "i.yaml",
                    "name: other\nservices: {i: {image: 'i:$COMPOSE_PROJECT_NAME'}}",
                )],
                &["x:my-17", "i:my-17"],
            ),
        ] {
            let images = read_with(text, others, &[]).unwrap();
            assert_eq!(names(&images), expected, "{text}");
        }
    }

    #[test]
    fn an_error_in_another_file_names_it_and_cycles_end() {
        let include = "include: [i.yaml]\nservices: {i: {image: a}}";
        let extends = "services: {x: {extends: {file: e.yaml, service: e}}}";
        for (text, others, says) in [
            (
                include,
                &[("i.yaml", "services: {i: {image: b}}")][..],
                "i differs between a file and",
            ),
            (include, &[("i.yaml", "include: [i.yaml]")], "in a cycle"),
            (
                include,
                &[("i.yaml", "include: [i.yaml, i.yaml]")],
                "in a cycle",
            ),
            (
                include,
                &[("i.yaml", "services: [")],
                "cannot use i.yaml: line 1",
            ),
            (
                include,
                &[("i.yaml", "a: 1")],
                "cannot use i.yaml: the file has no `services`",
            ),
            (
                include,
                &[("i.yaml", "services: {}"), (".env", "hunter2 x")],
                "cannot read .env: line 1",
            ),
            (
                extends,
                &[("e.yaml", "services: {}")],
                "cannot use e.yaml: a service extends e",
            ),
            (
                extends,
                &[("e.yaml", "services: {e: {extends: e}}")],
                "in a cycle",
            ),
            (
                extends,
                &[(
                    "e.yaml",
                    "services: {e: {extends: {file: e.yaml, service: e}}}",
                )],
                "in a cycle",
            ),
        ] {
            let error = read_with(text, others, &[]).unwrap_err();
            let mut said = error.to_string();
            let mut source = std::error::Error::source(&error);
            while let Some(error) = source {
                said = format!("{said}: {error}");
                source = error.source();
            }
            assert!(said.contains(says), "{text}: {said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
    }

    #[test]
    fn services_that_multiply_are_refused() {
        let document = "services: {a: {extends: b}, b: {extends: {file: x, service: a}}}\n---\n";
        let text = document.repeat(50);
        let error = read_with(&text, &[("x", &text)], &[]).unwrap_err();
        assert!(
            matches!(error, Error::Extends | Error::In { .. }),
            "{error}"
        );
    }

    #[test]
    fn volumes_that_mount_images_are_read_and_merged_by_their_path() {
        for (text, expected) in [
            (
                "a: {image: a, volumes: ['x:/x', {type: image, source: 'm:$TAG', target: /m, image: {subpath: s}, \
                 read_only: true}]}",
                &[("a", "m:17", "/m")][..],
            ),
            (
                "a: {build: ., volumes: [{type: image, source: m, target: /m}]}",
                &[("a", "m", "/m")],
            ),
            (
                "a: {image: a, volumes: [{type: volume, source: m, target: /m}]}",
                &[],
            ),
            (
                "b: {image: b, volumes: [{type: image, source: m, target: /m}]}\n a: {extends: b}",
                &[("b", "m", "/m"), ("a", "m", "/m")],
            ),
            (
                "b: {image: b, volumes: [{type: image, source: m, target: /m}]}\n---\nservices:\n b: {volumes: \
                 [{type: image, source: n, target: /m}]}",
                &[("b", "n", "/m")],
            ),
            (
                "b: {image: b, volumes: [{type: image, source: m, target: /m}]}\n---\nservices:\n b: {volumes: \
                 ['./x:/m:ro']}",
                &[],
            ),
            (
                "b: {image: b, volumes: [{type: image, source: m, target: /m}]}\n---\nservices:\n b: {volumes: !reset []}",
                &[],
            ),
            (
                "b: {image: b, profiles: [p], volumes: [{type: image, source: m, target: /m}]}",
                &[],
            ),
            (
                "a: {image: a, volumes: ['$DB_PASSWORD:/x', {type: image, source: m, target: /m}]}",
                &[("a", "m", "/m")],
            ),
        ] {
            let images = read(&format!("services:\n {text}\n"), &[]).unwrap();
            let volumes: Vec<_> = images
                .volumes
                .iter()
                .map(|volume| (&*volume.service, &*volume.image, &*volume.target))
                .collect();
            assert_eq!(volumes, expected, "{text}");
        }
        for (volume, error) in [
            ("{type: image, target: /m}", "without `source`"),
            ("{type: image, source: m}", "without `source`"),
            (
                "{type: image, source: 'm:$DB_PASSWORD', target: /m}",
                "a uses DB_PASSWORD",
            ),
        ] {
            let text = format!("services: {{a: {{image: a, volumes: [{volume}]}}}}");
            let said = read(&text, &[]).unwrap_err().to_string();
            assert!(said.contains(error), "{text}: {said}");
        }
    }

    #[test]
    fn an_unset_variable_is_reported_once() {
        let images = read(
            "services: {a: {image: 'a:1${NONE}'}, b: {image: 'b:1${NONE}'}}",
            &[],
        )
        .unwrap();
        assert_eq!(names(&images), ["a:1", "b:1"]);
        assert_eq!(
            images.notes,
            ["the variable NONE is not set; hocker uses an empty value"]
        );
    }
}
