//! Names in a layer: paths below its root, whatever the archive writes.

use super::error::EntryError;

/// The longest path in bytes (`PATH_MAX`).
pub(super) const MAX_PATH: usize = 4096;

/// The longest name of one file in bytes (`NAME_MAX`).
const MAX_NAME: usize = 255;

/// A path below the root of a layer: names that are neither empty nor `.` nor `..`, and contain no `/` and no zero
/// byte. The root itself has no names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path<'n> {
    names: Vec<&'n [u8]>,
}

impl<'n> Path<'n> {
    /// Cleans a path as unpackers do: it starts at the root, and `..` leads no higher than the root.
    pub(super) fn parse(text: &'n [u8]) -> Result<Self, EntryError> {
        if text.len() > MAX_PATH {
            return Err(EntryError::LongName);
        }
        if text.contains(&0) {
            return Err(EntryError::ZeroByte);
        }
        let mut names = Vec::new();
        for name in text.split(|byte| *byte == b'/') {
            match name {
                b"" | b"." => {}
                b".." => drop(names.pop()),
                _ if name.len() > MAX_NAME => return Err(EntryError::LongName),
                _ => names.push(name),
            }
        }
        Ok(Self { names })
    }

    /// The names of the parent directories, and the last name. `None` for the root.
    pub(super) fn split(&self) -> Option<(&[&'n [u8]], &'n [u8])> {
        let (last, parents) = self.names.split_last()?;
        Some((parents, last))
    }

    /// The first name. `None` for the root.
    pub(super) fn first(&self) -> Option<&'n [u8]> {
        self.names.first().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(text: &str) -> String {
        let path = Path::parse(text.as_bytes()).unwrap();
        let names = path.names.iter().map(|name| str::from_utf8(name).unwrap());
        names.collect::<Vec<_>>().join("/")
    }

    #[test]
    fn no_path_leads_out_of_the_root() {
        for (text, path) in [
            ("", ""),
            (".", ""),
            ("./", ""),
            ("/", ""),
            ("..", ""),
            ("../../etc/passwd", "etc/passwd"),
            ("/etc//passwd/", "etc/passwd"),
            ("a/../../b/./c", "b/c"),
            ("a/..b/...", "a/..b/..."),
        ] {
            assert_eq!(clean(text), path, "{text}");
        }
    }

    #[test]
    fn refuses_what_no_file_can_be_called() {
        let long = "x".repeat(256);
        let deep = "x/".repeat(2049);
        for text in ["a\0b", &long, &format!("a/{long}/b"), &deep] {
            assert!(Path::parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Path::parse(&long.as_bytes()[1..]).is_ok());
    }
}
