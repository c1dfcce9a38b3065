//! Looking at directories: what is there, before and after.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Every file, directory and link under `root` by relative path, with the content of the regular files and the
/// target of the links. Two equal listings mean that nothing was left behind.
pub(crate) fn listing(root: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    walk(root, &mut |path| {
        let kind = fs::symlink_metadata(path).unwrap().file_type();
        let content = if kind.is_file() {
            Some(fs::read(path).unwrap())
        } else if kind.is_symlink() {
            Some(
                fs::read_link(path)
                    .unwrap()
                    .into_os_string()
                    .into_encoded_bytes(),
            )
        } else {
            None
        };
        found.insert(path.strip_prefix(root).unwrap().to_owned(), content);
    });
    found
}

/// The files under `root` whose names end in `.extension`, sorted. Build outputs and hidden directories are not
/// entered.
pub(crate) fn files_with_extension(root: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    if root.exists() {
        walk(root, &mut |path| {
            if path.extension().is_some_and(|own| own == extension) && path.is_file() {
                found.push(path.to_owned());
            }
        });
    }
    found
}

fn walk(directory: &Path, visit: &mut impl FnMut(&Path)) {
    let mut paths: Vec<PathBuf> = fs::read_dir(directory)
        .unwrap_or_else(|error| panic!("cannot list {}: {error}", directory.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    for path in paths {
        visit(&path);
        if fs::symlink_metadata(&path).unwrap().is_dir() {
            walk(&path, visit);
        }
    }
}
