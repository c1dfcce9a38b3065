//! Images whose name has the digest of an index: the index is in what is written, and lists one manifest that is there.

use std::fs;

use serde_json::{Value, json};

use super::entries;
use crate::support::hocker::hocker;
use crate::support::image::{Family, Image, digest, hex, index, index_answer, index_entry, small};
use crate::support::scripted_registry::{Registry, get};

/// An image, and an index that names it and another.
fn indexed() -> (Image, Vec<u8>) {
    let image = small();
    let arm64 = json!({"os": "linux", "architecture": "arm64"});
    let other = Image::for_platform(Family::Oci, &arm64, &["/x"], vec![]);
    let index = index(&[other.descriptor(), image.descriptor()]);
    (image, index)
}

fn manifests(index: &[u8]) -> Value {
    serde_json::from_slice::<Value>(index).unwrap()["manifests"].clone()
}

/// What `index.json` of an archive with these members lists.
fn listed(members: &[(String, Vec<u8>)]) -> Value {
    let list = members.iter().find(|(name, _)| name == "index.json");
    manifests(&list.unwrap().1)
}

#[test]
fn the_index_of_a_digest_is_kept_by_every_format_that_has_one() {
    let (image, index) = indexed();
    let index_digest = digest(&index);
    let directory = tempfile::tempdir().unwrap();
    for (reference, tag) in [
        ("@DIGEST", None),
        (":1@DIGEST", Some("1")),
        // A tag alone names the image of one platform in the file.
        (":1", None),
    ] {
        for format in ["docker-save", "oci-archive", "oci-dir"] {
            let registry = Registry::start();
            let name = format!("{}/team/app", registry.name());
            let reference = reference.replace("DIGEST", &index_digest);
            let asked = if reference.contains('@') {
                &index_digest
            } else {
                "1"
            };
            let target = format!("/v2/team/app/manifests/{asked}");
            registry.on(get(&target), index_answer(&index));
            image.serve(&registry, "team/app", &image.digest());
            let out = directory.path().join("out");
            hocker(["image", "--platform", "linux/amd64", "--format", format])
                .arguments([
                    "--out",
                    out.to_str().unwrap(),
                    &format!("{name}{reference}"),
                ])
                .run()
                .done();
            let file = |path: &str| -> Option<Vec<u8>> {
                if format == "oci-dir" {
                    return fs::read(out.join(path)).ok();
                }
                let members = entries(&fs::read(&out).unwrap());
                let found = members.into_iter().find(|(name, _)| name == path);
                found.map(|(_, content)| content)
            };
            let blob = |digest: &str| file(&format!("blobs/sha256/{}", &digest[7..]));
            assert_eq!(blob(&image.digest()), Some(image.manifest.clone()));
            let listed = manifests(&file("index.json").unwrap());
            assert_eq!(listed.as_array().unwrap().len(), 1);
            let annotations = &listed[0]["annotations"];
            let full = &annotations["io.containerd.image.name"];
            if reference.contains('@') {
                assert_eq!(listed[0]["digest"], index_digest, "{format}");
                assert_eq!(blob(&index_digest).unwrap(), index);
                let expected = match tag {
                    Some(tag) => format!("{name}:{tag}"),
                    None => format!("{name}@{index_digest}"),
                };
                assert_eq!(*full, expected);
            } else {
                assert_eq!(listed[0]["digest"], image.digest(), "{format}");
                assert_eq!(blob(&index_digest), None);
                assert_eq!(*full, format!("{name}:1"));
            }
            if out.is_dir() {
                fs::remove_dir_all(&out).unwrap();
            } else {
                fs::remove_file(&out).unwrap();
            }
        }
    }
}

#[test]
fn a_nested_index_gives_its_digest_to_no_manifest() {
    let (image, inner) = indexed();
    let outer = index(&[index_entry(&inner)]);
    let registry = Registry::start();
    let path = |index: &[u8]| format!("/v2/team/app/manifests/{}", digest(index));
    registry.on(get(path(&outer)), index_answer(&outer));
    registry.on(get(path(&inner)), index_answer(&inner));
    image.serve(&registry, "team/app", &image.digest());
    let name = format!("{}/team/app", registry.name());
    let reference = format!("{name}@{}", digest(&outer));
    let archive = hocker([
        "image",
        "--platform",
        "linux/amd64",
        "--format",
        "oci-archive",
    ])
    .arguments(["--out", "-", &reference])
    .run()
    .done();
    let members = entries(&archive.stdout);
    let listed = listed(&members);
    assert_eq!(listed[0]["digest"], image.digest());
    assert_eq!(
        listed[0]["annotations"]["io.containerd.image.name"],
        format!("{name}@{}", image.digest())
    );
    assert!(
        members
            .iter()
            .all(|(name, _)| !name.ends_with(&hex(&outer)))
    );
}

#[test]
fn a_layout_that_lists_an_index_is_written_with_it() {
    let (image, index) = indexed();
    let layout = image.layout("docker.io/library/app:1");
    let path = layout.path();
    fs::write(path.join("blobs/sha256").join(hex(&index)), &index).unwrap();
    let list = path.join("index.json");
    let mut text: Value = serde_json::from_slice(&fs::read(&list).unwrap()).unwrap();
    let entry = &mut text["manifests"][0];
    entry["mediaType"] = json!(crate::support::image::OCI_INDEX);
    entry["digest"] = json!(digest(&index));
    entry["size"] = json!(index.len());
    entry.as_object_mut().unwrap().remove("platform");
    fs::write(&list, text.to_string()).unwrap();
    let written = |arguments: &[&str]| {
        let archive = hocker([
            "image",
            "--platform",
            "linux/amd64",
            "--format",
            "docker-save",
        ])
        .arguments(["--out", "-", path.to_str().unwrap()])
        .arguments(arguments)
        .run()
        .done();
        let listed = listed(&entries(&archive.stdout));
        listed[0]["digest"].as_str().unwrap().to_owned()
    };
    assert_eq!(written(&[]), digest(&index));
    assert_eq!(written(&["--image", &digest(&index)]), digest(&index));
    // The digest of a manifest asks for that manifest.
    assert_eq!(written(&["--image", &image.digest()]), image.digest());
}
