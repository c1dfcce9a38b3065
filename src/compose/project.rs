//! A project: the directory of a Compose file, and the other files in it. The author of a Compose file may be another
//! person than its user, so no file outside of the directory is read, not even through a link.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::yaml::MAX_FILE_SIZE;
use crate::input;

/// The files that a Compose file may name.
pub trait Project {
    /// Returns the name of the project, used if neither a variable nor a file names it.
    fn name(&self) -> String;

    /// Reads a file. Its path is relative to the project's directory.
    fn read(&self, path: &Path) -> io::Result<String>;
}

/// A project on disk.
#[derive(Debug)]
pub struct Directory(PathBuf);

impl Directory {
    /// Returns the project whose Compose file is in the directory `path`.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Resolves a path. Fails if it is not in the directory.
    fn within(&self, path: &Path) -> io::Result<PathBuf> {
        let real = self.0.join(path).canonicalize()?;
        if real.starts_with(self.0.canonicalize()?) {
            Ok(real)
        } else {
            Err(io::Error::other(
                "the path leads out of the project's directory",
            ))
        }
    }
}

impl Project for Directory {
    fn name(&self) -> String {
        let path = std::path::absolute(&self.0).unwrap_or_default();
        let name = path.file_name().unwrap_or_default();
        normalized(&name.to_string_lossy())
    }

    fn read(&self, path: &Path) -> io::Result<String> {
        read_text(input::open(&self.within(path)?)?)
    }
}

/// Returns a name in the form to which Compose normalises it.
pub(super) fn normalized(name: &str) -> String {
    let is_part = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    let name: String = name.to_lowercase().chars().filter(is_part).collect();
    name.trim_start_matches(['-', '_']).to_owned()
}

/// Reads a Compose file or a file of variables. Fails if it has more than [`MAX_FILE_SIZE`] bytes.
pub fn read_text(input: impl Read) -> io::Result<String> {
    let mut text = String::new();
    let mut input = input.take(MAX_FILE_SIZE as u64 + 1);
    if input.read_to_string(&mut text)? > MAX_FILE_SIZE {
        let message = format!("the file is larger than {} MiB", MAX_FILE_SIZE >> 20);
        return Err(io::Error::other(message));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn nothing_outside_of_the_directory_is_read() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("My_Project.1");
        fs::create_dir_all(root.join("sub")).unwrap();
        fs::write(root.join("sub/file"), "inside").unwrap();
        fs::write(place.path().join("secret"), "outside").unwrap();
        symlink("../secret", root.join("link")).unwrap();
        symlink("sub/file", root.join("inner")).unwrap();
        symlink(place.path(), root.join("up")).unwrap();
        let project = Directory::new(&root);
        let absolute = root.join("sub/file");
        for path in [
            "sub/file",
            "inner",
            "sub/../inner",
            absolute.to_str().unwrap(),
        ] {
            assert_eq!(project.read(Path::new(path)).unwrap(), "inside", "{path}");
        }
        for path in ["../secret", "link", "up/secret", "/proc/self/environ"] {
            let error = project.read(Path::new(path)).unwrap_err().to_string();
            assert!(error.contains("leads out"), "{path}: {error}");
        }
        assert_eq!(project.name(), "my_project1");
    }

    #[test]
    fn files_without_end_are_refused() {
        let error = read_text(io::repeat(b'a')).unwrap_err().to_string();
        assert!(error.contains("larger"), "{error}");
    }
}
