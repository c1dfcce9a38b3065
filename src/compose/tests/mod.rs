//! Compose files as a whole: what their images are, and why a file is refused.

mod merge;
mod other_files;
mod volumes;

use super::*;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

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
