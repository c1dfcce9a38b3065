//! A Compose file as projects have them: `hocker lock compose` names the images that Compose itself names.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::fleet::{Fleet, lock};
use crate::machine::program;

const FILE: &str = r#"version: "3.9"

x-logging: &logging
  logging:
    driver: json-file
    options: { max-size: "10m" }

x-app: &app
  <<: *logging
  image: ${REGISTRY:-ghcr.io}/team/app:${APP_VERSION:-1.4.2}
  restart: unless-stopped
  environment: &env
    DATABASE_URL: postgres://app:${DB_PASSWORD-secret}@db/app
    PRICE: "$$5"
  depends_on: [db, cache]

services:
  web:
    <<: *app
    command: ["serve"]
    ports: ["8080:80"]
  worker:
    <<: *app
    command: ["work"]
    environment:
      <<: *env
      QUEUE: default
  db:
    <<: *logging
    image: "postgres:${POSTGRES_VERSION:?set it}-alpine"
    volumes: ["data:/var/lib/postgresql/data"]
  cache:
    image: redis:7@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
  proxy:
    image: ${PROXY_IMAGE-nginx}:${PROXY_TAG}
  frontend:
    build: ./frontend
  tools:
    image: localhost:5000/tools
    profiles: [debug]
  mail:
    image: axllent/mailpit:v1.20
    profiles: ["dev", "debug"]

volumes:
  data: {}
"#;

/// Blank lines, comments, quotes.
const VARIABLES: &str = "\
# versions
POSTGRES_VERSION=16.2
APP_VERSION=\"2.0.0\"

PROXY_TAG='1.27' # stable
";

/// What Compose makes of the file: the images of its resolved form. The first Compose shows all services there,
/// whatever their profiles, so that those are looked at here.
fn of_compose(directory: &Path, active: &str) -> BTreeSet<String> {
    let resolved = program::text(
        Command::new("docker-compose")
            .args(["--file", "compose.yaml", "config"])
            .env_remove("DOCKER_HOST")
            .env("COMPOSE_PROFILES", active)
            .current_dir(directory),
    );
    let active: Vec<_> = active.split(',').collect();
    let mut images = BTreeSet::new();
    let (_, services) = resolved.split_once("services:\n").unwrap();
    let lines: Vec<_> = services.lines().collect();
    // A service begins with its name, and everything of it stands further in.
    for service in lines.chunk_by(|_, next| next.starts_with("   ") || next.starts_with("  -")) {
        let lines: Vec<_> = service.iter().map(|line| line.trim()).collect();
        let Some(image) = lines.iter().find_map(|line| line.strip_prefix("image: ")) else {
            continue;
        };
        let profiles = lines
            .iter()
            .skip_while(|line| **line != "profiles:")
            .skip(1);
        let mut profiles = profiles
            .map_while(|line| line.strip_prefix("- "))
            .peekable();
        if profiles.peek().is_none() || profiles.any(|profile| active.contains(&profile)) {
            images.insert(image.trim_matches(['"', '\'']).to_owned());
        }
    }
    images
}

#[test]
fn the_images_are_those_that_compose_itself_names() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("frontend")).unwrap();
    fs::write(directory.path().join("compose.yaml"), FILE).unwrap();
    fs::write(directory.path().join(".env"), VARIABLES).unwrap();
    for (profiles, count) in [
        ("", 4),
        ("dev", 5),
        ("debug", 6),
        ("dev,debug", 6),
        ("other", 4),
    ] {
        let outcome = lock(directory.path(), &["compose", "--images", "compose.yaml"])
            .env("COMPOSE_PROFILES", profiles)
            .run()
            .done()
            .says("frontend is built from source");
        let ours: BTreeSet<_> = outcome.text().lines().map(str::to_owned).collect();
        assert_eq!(ours.len(), count, "{profiles}: {ours:?}");
        assert_eq!(ours, of_compose(directory.path(), profiles), "{profiles}");
    }
}

#[test]
fn compose_merges_the_override_file_and_uses_the_pinned_images() {
    let fleet = Fleet::of(3);
    let references = fleet.references(3);
    let directory = tempfile::tempdir().unwrap();
    let file = format!(
        "version: \"3.9\"\nservices:\n  base:\n    image: {}\n    command: [x]\n  derived:\n    extends: {{service: base}}\n    \
         environment: {{A: b}}\n  built:\n    image: built:1\n    build: .\n  debug:\n    image: {}\n    profiles: [debug]\n",
        references[0], references[1],
    )
    .replace("built:1", &references[2]);
    fs::write(directory.path().join("compose.yaml"), file).unwrap();
    let arguments = [
        "compose",
        "compose.yaml",
        "--profile",
        "debug",
        "--override",
        "pins.yaml",
    ];
    lock(directory.path(), &arguments).run().done();
    let lock: serde_json::Value =
        serde_json::from_str(&super::fleet::text(directory.path())).unwrap();
    let digest = |number: usize| {
        lock["images"][super::fleet::name(number)]["index"]["digest"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let resolved = program::text(
        Command::new("docker-compose")
            .args(["--file", "compose.yaml", "--file", "pins.yaml", "config"])
            .env_remove("DOCKER_HOST")
            .env("COMPOSE_PROFILES", "debug")
            .current_dir(directory.path()),
    );
    let images: BTreeSet<_> = resolved
        .lines()
        .filter_map(|line| line.trim().strip_prefix("image: "))
        .map(|image| image.trim_matches(['"', '\'']).to_owned())
        .collect();
    let pinned = |number: usize| format!("{}@{}", references[number], digest(number));
    assert_eq!(
        images,
        BTreeSet::from([pinned(0), pinned(1), references[2].clone()]),
        "{resolved}"
    );
    let count = resolved.matches(&pinned(0)).count();
    assert_eq!(
        count, 2,
        "the base and the service that extends it\n{resolved}"
    );
}
