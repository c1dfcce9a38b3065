//! One image of several layers.

use hocker::class::Class;
use hocker::compression::Limit;
use hocker::erofs::{LayerFile, MountPoint, Rootfs, RootfsError};
use hocker::oci::descriptor::Descriptor;
use hocker::oci::digest::{DiffId, Digest};
use hocker::oci::media_type::MediaType;
use proptest::prelude::*;
use tar::EntryType;

use super::Tar;
use super::model::{is_as_the_model, layers};
use crate::support::layer::{Layer, Packing};
use crate::support::properties::erofs_image::{self, Image};
use crate::support::properties::rootfs::write as rootfs;

fn merged(layers: impl IntoIterator<Item = Tar>) -> Image {
    let archives: Vec<_> = layers.into_iter().map(Tar::finish).collect();
    erofs_image::read(&rootfs(&archives, &[]).unwrap())
}

fn refused(layers: impl IntoIterator<Item = Tar>) -> RootfsError {
    let archives: Vec<_> = layers.into_iter().map(Tar::finish).collect();
    rootfs(&archives, &[]).unwrap_err()
}

fn directory(tar: Tar, name: &str, mode: u32) -> Tar {
    tar.entry(name, b"", |header| {
        header.set_entry_type(EntryType::Directory);
        header.set_mode(mode);
        header.set_mtime(mode.into());
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn layers_are_merged_as_overlayfs_does(layers in layers()) {
        is_as_the_model(&layers);
    }
}

#[test]
fn a_later_layer_describes_a_directory_only_if_it_lists_it() {
    let lower = || {
        directory(Tar::new(), "./", 0o700)
            .records(&[("SCHILY.xattr.user.a", b"1"), ("SCHILY.xattr.user.b", b"1")])
            .other("d/", EntryType::Directory)
            .file("d/lower", b"")
    };
    let image = merged([lower(), Tar::new().file("d/upper", b"")]);
    assert_eq!(image.file("").mode, 0o040_700);
    assert_eq!(image.file("d").attributes.len(), 2);
    let upper = directory(directory(Tar::new(), "./", 0o711), "d/", 0o1777).file("d/upper", b"");
    let image = merged([lower(), upper]);
    assert_eq!(image.file("").mode, 0o040_711);
    assert_eq!(image.file("d").mode, 0o041_777);
    assert_eq!(image.file("d").time, (0o1777, 0));
    assert!(image.file("d").attributes.is_empty());
    assert_eq!(image.paths(), ["d", "d/lower", "d/upper"]);
}

#[test]
fn directories_replace_symbolic_links_of_lower_layers() {
    let lower = Tar::new()
        .file("usr/lib/libc", b"")
        .link("lib", EntryType::Symlink, "usr/lib");
    let image = merged([lower, Tar::new().file("lib/new", b"")]);
    assert_eq!(
        image.paths(),
        ["lib", "lib/new", "usr", "usr/lib", "usr/lib/libc"]
    );
}

#[test]
fn a_hard_link_to_a_file_of_a_lower_layer_is_a_name_of_it() {
    let image = merged([
        Tar::new().file("bin/a", b"content"),
        Tar::new()
            .link("b", EntryType::Link, "bin/a")
            .link("c", EntryType::Link, "b")
            .file("bin/a", b"new"),
    ]);
    assert_eq!(image.file("b").inode, image.file("c").inode);
    assert_eq!(image.file("b").content, b"content");
    assert_eq!(image.file("bin/a").content, b"new");
}

#[test]
fn a_hard_link_to_nothing_is_refused() {
    let error = refused([
        Tar::new().file("a", b""),
        Tar::new().file(".wh.a", b""),
        Tar::new().link("b", EntryType::Link, "a"),
    ]);
    assert_eq!(error.class(), Class::Integrity);
    let cause = hocker::causes::line(&error);
    assert!(cause.contains("`a`, which no layer has"), "{cause}");
}

#[test]
fn devices_with_the_number_of_a_whiteout_are_whiteouts() {
    let image = merged([
        Tar::new().file("a", b"").file("b", b""),
        Tar::new()
            .other("a", EntryType::Char)
            .link("b", EntryType::Link, "a"),
    ]);
    assert!(image.paths().is_empty());
}

#[test]
fn no_trace_of_whiteouts_is_left() {
    let image = merged([
        Tar::new().file("gone", b"").file("d/old", b""),
        Tar::new()
            .file(".wh.gone", b"")
            .file(".wh.never", b"")
            .file("d/.wh..wh..opq", b"")
            .file("d/new", b""),
    ]);
    assert_eq!(image.paths(), ["d", "d/new"]);
    assert!(image.file("d").attributes.is_empty());
    let image = merged([
        Tar::new().file("gone", b""),
        Tar::new().file(".wh..wh..opq", b"").file("new", b""),
    ]);
    assert_eq!(image.paths(), ["new"]);
}

#[test]
fn what_is_replaced_takes_no_room() {
    let large = vec![7; 1 << 20];
    let archives = |tars: [Tar; 2]| tars.map(Tar::finish);
    let replaced = archives([Tar::new().file("a", &large), Tar::new().file("a", b"small")]);
    assert!(rootfs(&replaced, &[]).unwrap().len() < 64 << 10);
}

#[test]
fn mount_points_are_added_where_there_is_nothing() {
    let archive = Tar::new()
        .link("var", EntryType::Symlink, "data")
        .link("etc/resolv.conf", EntryType::Symlink, "../run/resolv.conf")
        .file("etc/hosts", b"mine")
        .finish();
    let mut points = MountPoint::usual();
    points.push(MountPoint::directory("/srv/www/"));
    points.push(MountPoint::file("etc/app.conf"));
    points.push(MountPoint::directory("/"));
    let image = rootfs(std::slice::from_ref(&archive), &points).unwrap();
    let image = erofs_image::read(&image);
    for (path, mode) in [
        ("dev", 0o040_755),
        ("proc", 0o040_755),
        ("run", 0o040_755),
        ("sys", 0o040_755),
        ("tmp", 0o041_777),
        ("data/tmp", 0o041_777),
        ("etc/machine-id", 0o100_644),
        ("srv/www", 0o040_755),
        ("etc/app.conf", 0o100_644),
        ("etc/resolv.conf", 0o120_777),
    ] {
        assert_eq!(image.file(path).mode, mode, "{path}");
    }
    assert_eq!(image.file("etc/hosts").content, b"mine");
    let error = rootfs(&[archive], &[MountPoint::directory("/etc/hosts/d")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot add the mount point `/etc/hosts/d`"
    );
}

#[test]
fn layers_are_verified_and_named_in_errors() {
    let directory = tempfile::tempdir().unwrap();
    let layer = Layer::of_tar(Packing::Gzip, Tar::new().file("a", b"content").finish());
    let path = directory.path().join("layer");
    std::fs::write(&path, &layer.blob).unwrap();
    let write = |digest, size, diff_id| {
        let layers = [LayerFile {
            file: std::fs::File::open(&path).unwrap(),
            descriptor: Descriptor::new(MediaType::OCI_LAYER_GZIP, digest, size),
            diff_id: DiffId::new(diff_id),
        }];
        let rootfs = Rootfs {
            layers: &layers,
            limit: Limit::default(),
            mount_points: &[],
            keep: &["etc/passwd", "/a"],
        };
        rootfs.write(&tempfile::tempfile().unwrap(), directory.path())
    };
    let (digest, size) = (Digest::of(&layer.blob), layer.blob.len() as u64);
    let diff_id = Digest::of(&layer.tar);
    let kept = write(digest, size, diff_id).unwrap().kept;
    assert_eq!(
        kept.into_iter().collect::<Vec<_>>(),
        [("/a".to_owned(), b"content".to_vec())]
    );
    let other = Digest::of(b"");
    for (digest, size, diff_id) in [
        (other, size, diff_id),
        (digest, size + 1, diff_id),
        (digest, size - 1, diff_id),
        (digest, size, other),
    ] {
        let error = write(digest, size, diff_id).unwrap_err();
        assert_eq!(error.class(), Class::Integrity, "{error:?}");
        assert_eq!(error.to_string(), format!("cannot use the layer {digest}"));
    }
}
