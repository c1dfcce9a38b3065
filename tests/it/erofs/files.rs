//! What becomes of the files of a layer.

use std::collections::BTreeMap;

use tar::EntryType;

use super::{Tar, image};

/// What hides a directory of lower layers, for mounts of every kind.
const OPAQUE: [&str; 2] = ["trusted.overlay.opaque", "user.overlay.opaque"];

#[test]
fn modes_owners_times_and_devices_are_kept() {
    let image = image(
        Tar::new()
            .entry("./", b"", |header| {
                header.set_entry_type(EntryType::Directory);
                header.set_mode(0o1777);
            })
            .entry("su", b"x", |header| {
                header.set_mode(0o104_755);
                header.set_uid(12);
                header.set_gid(34);
                header.set_mtime(1_700_000_000);
            })
            .records(&[
                ("uid", b"70000"),
                ("gid", b"4294967294"),
                ("mtime", b"-1.25"),
            ])
            .file("large", b"y")
            .entry("null", b"", |header| {
                header.set_entry_type(EntryType::Char);
                header.set_device_major(1).unwrap();
                header.set_device_minor(3).unwrap();
            })
            .entry("disk", b"", |header| {
                header.set_entry_type(EntryType::Block);
                header.set_device_major(259).unwrap();
                header.set_device_minor(300).unwrap();
            })
            .other("pipe", EntryType::Fifo),
    );
    assert_eq!(image.file("").mode, 0o041_777);
    let su = image.file("su");
    assert_eq!((su.mode, su.user, su.group), (0o104_755, 12, 34));
    assert_eq!(su.time, (1_700_000_000, 0));
    let large = image.file("large");
    assert_eq!((large.user, large.group), (70_000, u32::MAX - 1));
    assert_eq!(large.time, (-2, 750_000_000));
    assert!(large.is_extended && !image.file("pipe").is_extended);
    let device = |path| (image.file(path).mode, image.file(path).device);
    assert_eq!(device("null"), (0o020_644, 0x103));
    assert_eq!(device("disk"), (0o060_644, 0x0011_032c));
    assert_eq!(device("pipe"), (0o010_644, 0));
}

#[test]
fn extended_attributes_are_kept_but_for_those_of_overlayfs() {
    let records: [(&str, &[u8]); 6] = [
        ("SCHILY.xattr.security.capability", b"\x01\0\0\x02\0"),
        ("SCHILY.xattr.user.note", b"a=b\n"),
        ("SCHILY.xattr.trusted.x", b""),
        ("SCHILY.xattr.trusted.overlay.redirect", b"/etc/shadow"),
        ("SCHILY.xattr.user.overlay.opaque", b"y"),
        ("LIBARCHIVE.xattr.user.note", b"YQ=="),
    ];
    let image = image(
        Tar::new()
            .records(&records)
            .file("file", b"x")
            .records(&records)
            .link("link", EntryType::Symlink, "file"),
    );
    let expected: [(&str, &[u8]); 3] = [
        ("security.capability", b"\x01\0\0\x02\0"),
        ("trusted.x", b""),
        ("user.note", b"a=b\n"),
    ];
    let expected: BTreeMap<_, _> = expected
        .map(|(name, value)| (name.to_owned(), value.to_vec()))
        .into();
    assert_eq!(image.file("file").attributes, expected);
    let names: Vec<_> = image.file("link").attributes.keys().collect();
    assert_eq!(names, ["security.capability", "trusted.x"]);
}

#[test]
fn hard_links_share_a_file_and_symbolic_links_their_own_too() {
    let image = image(
        Tar::new()
            .file("a", b"content")
            .link("b", EntryType::Link, "./a")
            .link("d/c", EntryType::Link, "/b")
            .link("s", EntryType::Symlink, "../../a")
            .link("t", EntryType::Link, "s")
            // The other names keep the first file.
            .file("a", b"new"),
    );
    assert_eq!(image.file("b").inode, image.file("d/c").inode);
    assert_eq!(image.file("b").links, 2);
    assert_eq!(image.file("b").content, b"content");
    assert_eq!(image.file("a").content, b"new");
    assert_eq!(image.file("t").content, b"../../a");
    assert_eq!(image.file("t").mode, 0o120_777);
    assert_eq!(image.file("t").links, 2);
}

#[test]
fn whiteouts_are_those_of_overlayfs() {
    let image = image(
        Tar::new()
            .file("etc/.wh.gone", b"")
            .file("opaque/.wh..wh..opq", b"")
            .file("opaque/kept", b"")
            .file(".wh.both", b"")
            .file("both/new", b"")
            .other(".wh..wh.plnk/", EntryType::Directory)
            .file(".wh..wh.plnk/1.2", b"of aufs"),
    );
    let gone = image.file("etc/gone");
    assert_eq!((gone.mode, gone.device), (0o020_000, 0));
    let opaque = |path| image.file(path).attributes.keys().collect::<Vec<_>>();
    assert_eq!(opaque("opaque"), OPAQUE);
    assert_eq!(opaque("both"), OPAQUE);
    assert_eq!(
        image.paths(),
        [
            "both",
            "both/new",
            "etc",
            "etc/gone",
            "opaque",
            "opaque/kept"
        ]
    );
}

#[test]
fn no_name_leads_out_of_the_image() {
    let image = image(
        Tar::new()
            .file("../../a", b"")
            .file("/b", b"")
            .file("c/../../d/./e", b"")
            .link("up", EntryType::Symlink, "../../..")
            .file("up/f", b"")
            .link("../g", EntryType::Link, "../../../a"),
    );
    assert_eq!(image.paths(), ["a", "b", "d", "d/e", "f", "g", "up"]);
}

#[test]
fn directories_of_many_files_are_in_order() {
    let mut tar = Tar::new();
    let mut names: Vec<_> = (0..2000).map(|number| format!("!{number}-name")).collect();
    names.extend((0..2000).map(|number| format!("{number}")));
    for name in &names {
        tar = tar.file(name, b"");
    }
    names.sort();
    assert_eq!(image(tar).paths(), names);
}

#[test]
fn long_names_and_targets_are_kept() {
    let (name, target) = ("n".repeat(255), format!("{}t", "d/".repeat(2040)));
    let image = image(
        Tar::new()
            .records(&[("path", name.as_bytes()), ("linkpath", target.as_bytes())])
            .link("short", EntryType::Symlink, "short"),
    );
    assert_eq!(image.file(&name).content, target.as_bytes());
}

#[test]
fn holes_of_sparse_files_are_zeros() {
    let mut map = b"2\n5000\n3\n9000\n2\n".to_vec();
    map.resize(512, 0);
    map.extend(b"abcde");
    let image = image(
        Tar::new()
            .records(&[
                ("GNU.sparse.major", b"1"),
                ("GNU.sparse.minor", b"0"),
                ("GNU.sparse.name", b"sparse"),
                ("GNU.sparse.realsize", b"10000"),
            ])
            .file("GNUSparseFile.0/sparse", &map),
    );
    let mut expected = vec![0; 10_000];
    expected[5000..5003].copy_from_slice(b"abc");
    expected[9000..9002].copy_from_slice(b"de");
    assert!(image.file("sparse").content == expected);
}
