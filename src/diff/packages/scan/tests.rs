//! Layers that add, replace and remove lists of packages.

use std::io::Write as _;

use super::super::{Manager, PackageChanges, Packages};
use super::*;
use crate::compression::fixture::gzip;
use crate::oci::media_type::MediaType;

/// An entry of a layer: a file, a symbolic or hard link (`->`, `=>`), or a directory.
type Item<'a> = (&'a str, &'a str);

fn tar_of(items: &[Item<'_>]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content) in items {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        if let Some(target) = content.strip_prefix("->") {
            header.set_entry_type(tar::EntryType::Symlink);
            builder.append_link(&mut header, path, target).unwrap();
        } else if let Some(target) = content.strip_prefix("=>") {
            header.set_entry_type(tar::EntryType::Link);
            builder.append_link(&mut header, path, target).unwrap();
        } else if path.ends_with('/') {
            header.set_entry_type(tar::EntryType::Directory);
            builder.append_data(&mut header, path, &b""[..]).unwrap();
        } else {
            header.set_size(content.len() as u64);
            builder
                .append_data(&mut header, path, content.as_bytes())
                .unwrap();
        }
    }
    builder.into_inner().unwrap()
}

fn read(tar: &[u8], limit: Limit) -> Result<Arc<LayerFiles>, Error> {
    let blob = gzip(tar);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&blob).unwrap();
    let layer = Descriptor::new(MediaType::OCI_LAYER, Digest::of(&blob), blob.len() as u64);
    let diff_id = DiffId::new(Digest::of(tar));
    Scanner::new(limit).read(&layer, &diff_id, file.path())
}

/// The names and versions in an image with these layers.
fn packages(layers: &[&[Item<'_>]]) -> Vec<String> {
    let layers: Vec<_> = layers
        .iter()
        .map(|items| read(&tar_of(items), Limit::default()).unwrap())
        .collect();
    let versions = Packages::of(&layers).versions;
    versions
        .iter()
        .map(|(name, version)| format!("{} {version}", name.name))
        .collect()
}

const STATUS: &str = "var/lib/dpkg/status";

#[test]
fn the_uppermost_list_counts_and_whiteouts_remove_lists() {
    let one = "Package: a\nVersion: 1\n";
    let two = "Package: a\nVersion: 2\n\nPackage: b\nVersion: 1\n";
    for (layers, expected) in [
        (&[&[(STATUS, one)][..], &[("x", "y")]][..], &["a 1"][..]),
        (
            &[&[(STATUS, one)], &[("./var/lib/dpkg/status", two)]],
            &["a 2", "b 1"],
        ),
        (&[&[(STATUS, one)], &[("var/lib/dpkg/.wh.status", "")]], &[]),
        (&[&[(STATUS, one)], &[("var/.wh.lib", "")]], &[]),
        (&[&[(STATUS, one)], &[("var/lib/.wh..wh..opq", "")]], &[]),
        (
            &[
                &[(STATUS, one)],
                &[("var/lib/.wh..wh..opq", ""), (STATUS, two)],
            ],
            &["a 2", "b 1"],
        ),
        (
            &[&[(STATUS, one)], &[("var/lib/dpkg/.wh.status-old", "")]],
            &["a 1"],
        ),
        (&[&[(STATUS, one)], &[("var/lib", "->../srv")]], &[]),
        (&[&[(STATUS, one)], &[("var/lib/", "")]], &["a 1"]),
        (&[&[(STATUS, one)], &[(STATUS, "->x")]], &[]),
        (
            &[
                &[(STATUS, one)],
                &[
                    ("var/lib/dpkg/status-old", two),
                    (STATUS, "=>var/lib/dpkg/status-old"),
                ],
            ],
            &["a 2", "b 1"],
        ),
        (
            &[
                &[("var/lib/dpkg/status-old", two)],
                &[(STATUS, "=>var/lib/dpkg/status-old")],
            ],
            &["a 2", "b 1"],
        ),
        (
            &[&[
                ("var/lib/dpkg/status.d/a", one),
                ("var/lib/dpkg/status.d/a.md5sums", two),
            ]],
            &["a 1"],
        ),
        (
            &[
                &[("lib/apk/db/installed", "P:m\nV:1\n")],
                &[
                    ("usr/lib/apk/db/installed", "P:m\nV:2\n"),
                    ("lib", "->usr/lib"),
                ],
            ],
            &["m 2"],
        ),
    ] {
        assert_eq!(packages(layers), expected, "{layers:?}");
    }
}

#[test]
fn a_database_of_rpm_is_compared_as_a_whole() {
    let with = |content| {
        let tar = tar_of(&[("usr/lib/sysimage/rpm/rpmdb.sqlite", content)]);
        Packages::of(&[read(&tar, Limit::default()).unwrap()])
    };
    assert!(PackageChanges::between(&with("a"), &with("b")).rpm);
    assert!(PackageChanges::between(&with("a"), &with("a")).is_empty());
}

#[test]
fn a_package_of_several_architectures_is_named_with_its_architecture() {
    let of =
        |text: &str| Packages::of(&[read(&tar_of(&[(STATUS, text)]), Limit::default()).unwrap()]);
    let old = of(
        "Package: a\nArchitecture: amd64\nVersion: 1\n\nPackage: b\nArchitecture: amd64\nVersion: 1\n",
    );
    let new = of(
        "Package: a\nArchitecture: amd64\nVersion: 1\n\nPackage: a\nArchitecture: i386\nVersion: 1\n\nPackage: \
         b\nArchitecture: amd64\nVersion: 2\n",
    );
    let changes = PackageChanges::between(&old, &new);
    let names: Vec<_> = changes
        .changed
        .iter()
        .map(|change| change.name.as_str())
        .collect();
    assert_eq!(names, ["a:i386", "b"]);
    assert_eq!(changes.kept, 1);
    assert!(
        changes
            .changed
            .iter()
            .all(|change| change.manager == Manager::Dpkg)
    );
}

#[test]
fn a_layer_that_is_wrong_or_too_large_gives_no_packages() {
    let tar = tar_of(&[(STATUS, "Package: a\nVersion: 1\n")]);
    assert!(matches!(
        read(&tar, Limit::of_bytes(600)),
        Err(Error::Layer(LayerError::TooLarge(_)))
    ));
    let cut = read(&tar[..520], Limit::default());
    assert!(matches!(cut, Err(Error::Archive(_))), "{cut:?}");
    let blob = gzip(&tar);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&blob).unwrap();
    let layer = Descriptor::new(MediaType::OCI_LAYER, Digest::of(&blob), blob.len() as u64);
    let other = DiffId::new(Digest::of(b"other"));
    let error = Scanner::default()
        .read(&layer, &other, file.path())
        .unwrap_err();
    assert_eq!(error.class(), Class::Integrity);
    file.write_all(b"x").unwrap();
    let diff_id = DiffId::new(Digest::of(&tar));
    let error = Scanner::default()
        .read(&layer, &diff_id, file.path())
        .unwrap_err();
    assert_eq!(error.class(), Class::Integrity);
}
