//! The paths of lists of packages in an image.

/// A path below the root of an image, with `/` between the names.
pub(super) type Path = Vec<u8>;

/// dpkg's list of packages.
pub(super) const DPKG: &[u8] = b"var/lib/dpkg/status";
/// The version of the list before the last change. `status` may be a hard link to it.
pub(super) const DPKG_OLD: &[u8] = b"var/lib/dpkg/status-old";
/// The directory in which distroless images have one list for each package.
pub(super) const DPKG_DIRECTORY: &[u8] = b"var/lib/dpkg/status.d";
/// apk's lists, without and with a merged `/usr`.
pub(super) const APK: [&[u8]; 2] = [b"lib/apk/db/installed", b"usr/lib/apk/db/installed"];
/// The directories with rpm's database.
pub(super) const RPM: [&[u8]; 2] = [b"var/lib/rpm", b"usr/lib/sysimage/rpm"];
/// The files with rpm's packages, in the formats of its database.
pub(super) const RPM_FILES: [&[u8]; 3] = [b"rpmdb.sqlite", b"Packages", b"Packages.db"];

/// Returns whether `path` is `above`, or is below it.
pub(super) fn is_within(path: &[u8], above: &[u8]) -> bool {
    path.strip_prefix(above)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

/// Returns whether a path names a list or a database.
pub(super) fn wanted(path: &[u8]) -> bool {
    let (parent, name) = split(path);
    path == DPKG
        || path == DPKG_OLD
        || APK.contains(&path)
        || parent == DPKG_DIRECTORY && !name.ends_with(b".md5sums")
        || RPM.contains(&parent) && RPM_FILES.contains(&name)
}

/// Returns whether the removal of a path can remove a list or a database.
pub(super) fn is_relevant(path: &[u8]) -> bool {
    let single = [DPKG, DPKG_OLD, DPKG_DIRECTORY];
    wanted(path)
        || single
            .into_iter()
            .chain(APK)
            .chain(RPM)
            .any(|list| is_within(list, path))
}

/// Cleans a path as unpackers do: it starts at the root, and `..` leads no higher than the root. Returns `None` for the
/// root itself.
pub(super) fn clean(name: &[u8]) -> Option<Path> {
    let mut names: Vec<&[u8]> = Vec::new();
    for name in name.split(|byte| *byte == b'/') {
        match name {
            b"" | b"." => {}
            b".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    (!names.is_empty()).then(|| names.join(&b'/'))
}

/// Splits a path into its parent directory and its last name.
pub(super) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => (
            path.get(..slash).unwrap_or_default(),
            path.get(slash + 1..).unwrap_or_default(),
        ),
        None => (b"", path),
    }
}

/// Joins a directory and a name.
pub(super) fn join(parent: &[u8], name: &[u8]) -> Path {
    if parent.is_empty() {
        name.to_vec()
    } else {
        [parent, b"/", name].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_no_higher_than_the_root() {
        for (name, expected) in [
            ("./var/lib/dpkg/status", Some("var/lib/dpkg/status")),
            ("/a//b/", Some("a/b")),
            ("../../a", Some("a")),
            ("a/../b", Some("b")),
            ("./", None),
            ("", None),
        ] {
            let path = clean(name.as_bytes());
            assert_eq!(path.as_deref(), expected.map(str::as_bytes), "{name}");
        }
    }
}
