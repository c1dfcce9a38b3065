//! Paths in units.

use super::error::Error;
use super::quote::{program, specifiers};

/// What systemd reads before the path of a program.
const PREFIXES: [char; 6] = ['@', '-', ':', '+', '!', '|'];

/// Returns a path without `.` and `..`. A relative path is below `directory`; an empty one is `directory`.
pub(super) fn absolute(directory: &str, path: &str) -> Result<String, Error> {
    if path.contains('\0') {
        return Err(Error::Directory(path.to_owned()));
    }
    let start = if path.starts_with('/') { "" } else { directory };
    let mut names = Vec::new();
    for name in start.split('/').chain(path.split('/')) {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()),
            _ => names.push(name),
        }
    }
    Ok(format!("/{}", names.join("/")))
}

/// Returns a path as the value of a key without quotation.
pub(super) fn value(path: &str) -> Result<String, Error> {
    let is_plain =
        !path.chars().any(char::is_control) && !path.ends_with('\\') && path.trim() == path;
    is_plain
        .then(|| specifiers(path))
        .ok_or_else(|| Error::Directory(path.to_owned()))
}

/// Returns the program of a command: an absolute path, or a name that systemd looks for in the search path.
pub(super) fn executable(text: &str, directory: &str) -> Result<String, Error> {
    let invalid = || Error::Program(text.to_owned());
    if text.contains('/') {
        return program(&absolute(directory, text).map_err(|_| invalid())?).ok_or_else(invalid);
    }
    if text.is_empty() || matches!(text, "." | "..") || text.starts_with(PREFIXES) {
        return Err(invalid());
    }
    program(text).ok_or_else(invalid)
}

/// Returns the directories of a search path that a unit can have.
pub(super) fn search_path(path: &str) -> Option<String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._+-@~".contains(&byte);
    let directories = path
        .split(':')
        .filter(|directory| directory.starts_with('/') && directory.bytes().all(is_plain));
    let directories: Vec<_> = directories.collect();
    (!directories.is_empty()).then(|| directories.join(":"))
}
