use super::*;
use proptest::prelude::*;

/// A block with a right checksum.
fn header(fields: &[(usize, &[u8])]) -> Vec<u8> {
    let mut block = vec![0; BLOCK];
    let basic: [(usize, &[u8]); 6] = [
        (100, b"0000644\0"),
        (108, b"0000000\0"),
        (116, b"0000000\0"),
        (124, b"00000000000\0"),
        (136, b"00000000000\0"),
        (257, b"ustar\x0000"),
    ];
    for (at, bytes) in basic.iter().chain(fields) {
        block[*at..*at + bytes.len()].copy_from_slice(bytes);
    }
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().copied().map(u32::from).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

/// An entry with content.
fn member(name: &str, kind: u8, content: &[u8]) -> Vec<u8> {
    let size = format!("{:011o}\0", content.len());
    let mut bytes = header(&[(0, name.as_bytes()), (124, size.as_bytes()), (156, &[kind])]);
    bytes.extend(content);
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    bytes
}

fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = [b" ", key.as_bytes(), b"=", value, b"\n"].concat();
    let mut length = rest.len();
    while length != rest.len() + length.to_string().len() {
        length = rest.len() + length.to_string().len();
    }
    [length.to_string().as_bytes(), &rest].concat()
}

/// An extended header.
fn extended(records: &[(&str, &[u8])]) -> Vec<u8> {
    let records = records.iter().map(|(key, value)| record(key, value));
    member("x", b'x', &records.collect::<Vec<_>>().concat())
}

/// The entries and their contents, with holes as zeros.
fn read(bytes: &[u8]) -> Result<Vec<(Entry, Vec<u8>)>, Error> {
    let mut archive = Archive::new(bytes);
    let mut all = Vec::new();
    while let Some(entry) = archive.next()? {
        let mut content = Vec::new();
        for segment in &entry.segments {
            content.resize(usize::try_from(segment.offset).unwrap(), 0);
            archive.content(segment.length, |piece| {
                content.extend_from_slice(piece);
                Ok(())
            })?;
        }
        content.resize(usize::try_from(entry.size).unwrap(), 0);
        all.push((entry, content));
    }
    archive.finish()?;
    Ok(all)
}

fn one(bytes: &[u8]) -> (Entry, Vec<u8>) {
    let mut all = read(bytes).unwrap();
    assert_eq!(all.len(), 1);
    all.remove(0)
}

#[test]
fn names_are_put_together_as_each_form_does() {
    let long = "long/".repeat(60);
    for (bytes, name) in [
        (header(&[(0, b"a"), (345, b"b/c")]), "b/c/a"),
        (header(&[(0, b"a"), (345, b"b"), (508, b"tar\0")]), "b/a"),
        (
            header(&[(0, b"a"), (257, b"ustar  \0"), (345, b"123")]),
            "a",
        ),
        (header(&[(0, b"a"), (257, &[0; 8]), (345, b"b")]), "a"),
        (
            [member("x", b'L', long.as_bytes()), member("a", b'0', b"")].concat(),
            &long,
        ),
        (
            [extended(&[("path", b"p")]), member("a", b'0', b"")].concat(),
            "p",
        ),
        (
            [extended(&[("path", b"")]), member("a", b'0', b"")].concat(),
            "a",
        ),
        (
            [
                extended(&[("path", b"p")]),
                member("x", b'L', b"l\0junk"),
                member("a", b'0', b""),
            ]
            .concat(),
            "l",
        ),
        // Records for all members mean nothing, and end what was said before.
        (
            [
                extended(&[("path", b"p")]),
                member("g", b'g', &record("path", b"g")),
                member("a", b'0', b""),
            ]
            .concat(),
            "a",
        ),
    ] {
        assert_eq!(one(&bytes).0.name, name.as_bytes(), "{name}");
    }
}

#[test]
fn extended_headers_replace_owners_times_and_sizes() {
    let records: [(&str, &[u8]); 6] = [
        ("uid", b"4000000000"),
        ("gid", b"7"),
        ("mtime", b"-1.5"),
        ("size", b"3"),
        ("SCHILY.xattr.user.a=b", b""),
        ("SCHILY.xattr.user.c", b"=\0\n"),
    ];
    let mut content = member("a", b'0', b"");
    content.extend(b"abc");
    let (entry, content) = one(&[extended(&records), content].concat());
    assert_eq!((entry.user, entry.group), (4_000_000_000, 7));
    let time = Time {
        seconds: -2,
        nanoseconds: 500_000_000,
    };
    assert_eq!(entry.time, time);
    assert_eq!(content, b"abc");
    // A key ends at its first equals sign.
    let expected: [(&[u8], &[u8]); 2] = [(b"user.a", b"b="), (b"user.c", b"=\0\n")];
    let found: Vec<_> = entry
        .attributes
        .iter()
        .map(|(k, v)| (&k[..], &v[..]))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn sparse_files_of_every_form_have_their_holes() {
    let expected = [&b"ab"[..], &[0; 510], b"cd", &[0; 86]].concat();
    let old = header(&[
        (124, b"00000000004\0"),
        (156, b"S"),
        (257, b"ustar  \0"),
        (386, b"00000000000\x0000000000002\0"),
        (410, b"00000001000\x0000000000002\0"),
        (483, b"00000001130\0"),
    ]);
    let mut goes_on = header(&[
        (124, b"00000000004\0"),
        (156, b"S"),
        (257, b"ustar  \0"),
        (386, b"00000000000\x0000000000002\0"),
        (482, b"\x01"),
        (483, b"00000001130\0"),
    ]);
    let mut more = vec![0; BLOCK];
    more[..24].copy_from_slice(b"00000001000\x0000000000002\0");
    goes_on.extend(more);
    let in_records: [(&str, &[u8]); 6] = [
        ("GNU.sparse.size", b"600"),
        ("GNU.sparse.numblocks", b"2"),
        ("GNU.sparse.offset", b"0"),
        ("GNU.sparse.numbytes", b"2"),
        ("GNU.sparse.offset", b"512"),
        ("GNU.sparse.numbytes", b"2"),
    ];
    let map: [(&str, &[u8]); 3] = [
        ("GNU.sparse.size", b"600"),
        ("GNU.sparse.numblocks", b"2"),
        ("GNU.sparse.map", b"0,2,512,2"),
    ];
    let in_content: [(&str, &[u8]); 4] = [
        ("GNU.sparse.major", b"1"),
        ("GNU.sparse.minor", b"0"),
        ("GNU.sparse.realsize", b"600"),
        ("GNU.sparse.name", b"real"),
    ];
    let mut with_map = b"2\n0\n2\n512\n2\n".to_vec();
    with_map.resize(BLOCK, 0);
    with_map.extend(b"abcd");
    for (form, bytes) in [
        ("old", [old, b"abcd".to_vec()].concat()),
        ("goes on", [goes_on, b"abcd".to_vec()].concat()),
        (
            "0.0",
            [extended(&in_records), member("real", b'0', b"abcd")].concat(),
        ),
        (
            "0.1",
            [extended(&map), member("real", b'0', b"abcd")].concat(),
        ),
        (
            "1.0",
            [extended(&in_content), member("a", b'0', &with_map)].concat(),
        ),
    ] {
        let (entry, content) = one(&bytes);
        assert_eq!(entry.kind, b'0', "{form}");
        assert_eq!(content, expected, "{form}");
        if form == "1.0" {
            assert_eq!(entry.name, b"real");
        }
    }
}

#[test]
fn links_and_devices_have_no_content() {
    for kind in *b"123456" {
        let entry = header(&[(0, b"a"), (124, b"00000001000\0"), (156, &[kind])]);
        let all = read(&[entry, member("b", b'0', b"x")].concat()).unwrap();
        assert_eq!(all.len(), 2, "{kind}");
        assert_eq!(all[0].0.size, 0);
    }
    // The oldest form marks a directory by its name.
    let (entry, _) = one(&header(&[(0, b"a/"), (156, b"\0")]));
    assert_eq!(entry.kind, b'5');
}

#[test]
fn an_archive_may_end_without_zeros_and_junk_may_follow_them() {
    let member = member("a", b'0', b"x");
    let zeros = vec![0; 2 * BLOCK];
    for end in [
        &b""[..],
        &zeros[..BLOCK],
        &zeros,
        &[&zeros[..], b"junk"].concat(),
    ] {
        assert_eq!(read(&[&member[..], end].concat()).unwrap().len(), 1);
    }
    // Without the padding, too.
    assert_eq!(read(&member[..=BLOCK]).unwrap().len(), 1);
    assert!(read(b"").unwrap().is_empty());
}

#[test]
fn refuses_what_is_cut_off_contradicts_itself_or_is_no_archive() {
    let whole = member("a", b'0', b"x");
    let mut wrong_sum = whole.clone();
    wrong_sum[0] = b'b';
    let negative_size = header(&[(124, &[0xff; 12])]);
    let lone = extended(&[("path", b"p")]);
    let after = |header: Vec<u8>| [header, member("a", b'0', b"abcd")].concat();
    for (what, bytes) in [
        ("cut in the header", whole[..100].to_vec()),
        ("cut in the content", whole[..BLOCK].to_vec()),
        ("checksum", wrong_sum),
        ("negative size", negative_size),
        ("nothing described", lone),
        ("junk", b"junk".repeat(1000)),
        ("after the end", [vec![0; BLOCK], whole].concat()),
        ("uid", after(extended(&[("uid", b"-1")]))),
        ("size", after(extended(&[("size", b"9223372036854775808")]))),
        ("mtime", after(extended(&[("mtime", b"now")]))),
        ("form", after(extended(&[("GNU.sparse.major", b"2")]))),
        ("map", after(extended(&[("GNU.sparse.map", b"0,2,2")]))),
        ("unused", after(extended(&[("GNU.sparse.map", b"0,2")]))),
        ("missing", after(extended(&[("GNU.sparse.map", b"0,5")]))),
        ("long", header(&[(124, b"00004000001\0"), (156, b"x")])),
    ] {
        let result = read(&bytes);
        assert!(
            matches!(result, Err(Error::Archive(_))),
            "{what}: {result:?}"
        );
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused_without_a_panic(bytes: Vec<u8>, kind: u8, size: u32) {
        let size = format!("{size:011o}\0");
        let first = header(&[(124, size.as_bytes()), (156, &[kind])]);
        for bytes in [&bytes, &[&first[..], &bytes].concat()] {
            let mut archive = Archive::new(&bytes[..]);
            while let Ok(Some(_)) = archive.next() {}
        }
    }
}
