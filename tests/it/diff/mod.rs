//! `hocker diff`: what is shown of two images, what is asked for it, and hostile images.

mod hostile; // texts of images that try to leave their place
mod places; // references, layouts, lock files, platforms

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::hocker::{Outcome, hocker};
use crate::support::image::{Family, Image, Layer, Packing, digest};

/// A list of dpkg with these packages, each with its version.
pub(crate) fn status(packages: &[(&str, &str)]) -> String {
    let paragraphs = packages.iter().map(|(name, version)| {
        format!(
            "Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}\n"
        )
    });
    paragraphs.collect::<Vec<_>>().join("\n")
}

/// An image of layers that have dpkg's list, with these fields of its config.
pub(crate) fn image(config: &Value, history: &Value, lists: &[&str]) -> Image {
    let layers: Vec<_> = lists
        .iter()
        .map(|list| {
            let files = [("var/lib/dpkg/status", list.as_bytes())];
            Layer::of_files(Packing::Gzip, &files)
        })
        .collect();
    let platform = json!({"os": "linux", "architecture": "amd64"});
    let config = json!({
        "os": "linux",
        "architecture": "amd64",
        "config": config,
        "history": history,
        "rootfs": {
            "type": "layers",
            "diff_ids": layers.iter().map(|layer| digest(&layer.tar)).collect::<Vec<_>>(),
        },
    });
    let config = serde_json::to_vec(&config).unwrap();
    Image::with_config(Family::Oci, &platform, config, layers)
}

/// An older and a newer version of an image.
pub(crate) fn versions() -> [Image; 2] {
    let base = status(&[("libc6", "2.36-9"), ("zlib1g", "1.2")]);
    let old = image(
        &json!({
            "Entrypoint": ["/start"],
            "User": "app",
            "Env": ["PATH=/bin", "GONE=hunter2", "MODE=fast"],
            "ExposedPorts": {"80/tcp": {}},
            "Labels": {
                "org.opencontainers.image.version": "1.1.4",
                "org.opencontainers.image.revision": "aaaa1111",
                "org.opencontainers.image.source": "https://github.com/a/b.git",
                "org.opencontainers.image.base.name": "debian:12.1",
            },
        }),
        &json!([
            {"created_by": "/bin/sh -c #(nop) ADD file:1 in / "},
            {"created_by": "/bin/sh -c #(nop)  CMD [\"bash\"]", "empty_layer": true},
            {"created_by": "RUN /bin/sh -c apt-get install -y zlib1g # buildkit"},
        ]),
        &[&status(&[("libc6", "2.36-9")]), &base],
    );
    let new = image(
        &json!({
            "Entrypoint": ["/start", "--quick"],
            "User": "app",
            "Env": ["PATH=/bin", "MODE=slow", "ADDED=x"],
            "ExposedPorts": {"80/tcp": {}, "443/tcp": {}},
            "Volumes": {"/data": {}},
            "Labels": {
                "org.opencontainers.image.version": "1.1.5",
                "org.opencontainers.image.revision": "bbbb2222",
                "org.opencontainers.image.source": "https://github.com/a/b.git",
                "org.opencontainers.image.base.name": "debian:12.2",
            },
        }),
        &json!([
            {"created_by": "/bin/sh -c #(nop) ADD file:1 in / "},
            {"created_by": "RUN /bin/sh -c apt-get install -y zlib1g curl # buildkit"},
        ]),
        &[
            &status(&[("libc6", "2.36-9")]),
            &status(&[("libc6", "2.36-10"), ("curl", "8.0")]),
        ],
    );
    [old, new]
}

/// The images as layouts `./old` and `./new` in a directory.
pub(crate) fn layouts(images: &[Image; 2]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (image, name) in images.iter().zip(["old", "new"]) {
        let path = directory.path().join(name);
        std::fs::create_dir(&path).unwrap();
        image.write_layout(&path, &format!("app:{name}"));
    }
    directory
}

/// `hocker diff ./old ./new ARGUMENT…` there.
pub(crate) fn diff(directory: &Path, arguments: &[&str]) -> Outcome {
    hocker(["diff", "./old", "./new"])
        .arguments(arguments)
        .in_directory(directory)
        .run()
}

#[test]
fn configuration_layers_packages_and_links_are_compared() {
    let directory = layouts(&versions());
    let text = diff(directory.path(), &[]).done().text();
    for line in [
        "./old (linux/amd64) → ./new (linux/amd64)",
        "  version: 1.1.4 → 1.1.5",
        "  base: debian:12.1 → debian:12.2",
        "    entrypoint: [\"/start\"] → [\"/start\",\"--quick\"]",
        "      + ADDED",
        "      - GONE",
        "      ~ MODE",
        "      + 443/tcp",
        "      + /data",
        "  layers: 1 new, 1 gone, 1 kept",
        "  packages: 1 changed, 1 new, 1 gone, 0 kept",
        "    + curl 8.0",
        "    ~ libc6 2.36-9 → 2.36-10",
        "    - zlib1g 1.2",
        "  compare: https://github.com/a/b/compare/aaaa1111...bbbb2222",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(
        text.contains("RUN apt-get install -y zlib1g curl\n"),
        "{text}"
    );
    assert!(
        !text.contains("hunter2"),
        "values are shown on request\n{text}"
    );
    assert!(!text.contains("user"), "what is equal is not shown\n{text}");
    let text = diff(directory.path(), &["--values"]).done().text();
    assert!(text.contains("- GONE: hunter2\n"), "{text}");
    assert!(text.contains("~ MODE: fast → slow\n"), "{text}");
}

#[test]
fn json_has_everything_and_the_values_only_on_request() {
    let images = versions();
    let directory = layouts(&images);
    let outcome = diff(directory.path(), &["--json"]).done();
    let same = diff(directory.path(), &["--format", "json"]).done();
    assert_eq!(outcome.stdout, same.stdout);
    let value: Value = serde_json::from_slice(&outcome.stdout).unwrap();
    assert_eq!(value["from"]["manifest"], images[0].digest());
    assert_eq!(value["to"]["version"], "1.1.5");
    assert_eq!(
        value["layers"]["new"][0]["digest"],
        images[1].layers[1].digest()
    );
    assert_eq!(
        value["config"]["environment"],
        json!([
            {"name": "ADDED", "change": "added"},
            {"name": "GONE", "change": "removed"},
            {"name": "MODE", "change": "changed"},
        ])
    );
    assert_eq!(value["config"]["ports"]["added"], json!(["443/tcp"]));
    assert_eq!(value["packages"]["changed"][1]["to"], "2.36-10");
    let outcome = diff(directory.path(), &["--json", "--values"]).done();
    let value: Value = serde_json::from_slice(&outcome.stdout).unwrap();
    assert_eq!(value["config"]["environment"][1]["from"], "hunter2");
}

#[test]
fn markdown_is_for_a_pull_request() {
    let directory = layouts(&versions());
    let text = diff(directory.path(), &["--format", "markdown"])
        .done()
        .text();
    for line in [
        "### `./old` (`linux/amd64`) → `./new` (`linux/amd64`)",
        "- version: `1.1.4` → `1.1.5`",
        "- [compare the sources](<https://github.com/a/b/compare/aaaa1111...bbbb2222>)",
        "  - environment removed: `GONE`",
        "<details><summary>Packages: 1 changed, 1 new, 1 gone, 0 kept</summary>",
        "- `libc6` `2.36-9` → `2.36-10`",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn an_image_does_not_differ_from_itself() {
    let [old, _] = versions();
    let directory = layouts(&[old.clone(), old]);
    let text = diff(directory.path(), &[]).done().text();
    assert!(text.contains("the same image: sha256:"), "{text}");
    assert!(text.contains("configuration: unchanged"), "{text}");
    assert!(
        text.contains("packages: 0 changed, 0 new, 0 gone, 2 kept"),
        "{text}"
    );
}
