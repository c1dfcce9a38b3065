//! The members of an archive, unpacked into the blobs of a layout. Each file gets the name of its digest, and never the
//! member's name: no name in the archive leads anywhere on the disk.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};

use super::Error;
use super::input;
use super::members::{Kind, Members};
use crate::archive::oci_layout::blob_name;
use crate::oci::digest::{Digest, Hasher};
use crate::oci::document;
use crate::output;

/// The size of the copy buffer in bytes.
const BUFFER: usize = 256 << 10;
/// The number of links that are followed from one name.
const MAX_LINKS: usize = 16;

/// The files of an archive by their names.
pub(super) struct Files {
    directory: PathBuf,
    members: HashMap<String, Content>,
    /// The names of the blobs of a layout whose content has another digest, and that digest.
    wrong: HashMap<Digest, Digest>,
}

#[derive(Debug, PartialEq, Eq)]
enum Content {
    File(Blob),
    /// A link to another member.
    Link(String),
    /// Two members have this name and different contents.
    Ambiguous,
}

/// A file of the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Blob {
    pub(super) digest: Digest,
    pub(super) size: u64,
}

impl Files {
    /// Unpacks an archive into a directory.
    pub(super) fn unpack(input: impl Read, directory: &Path) -> Result<Self, Error> {
        let mut files = Self {
            directory: directory.to_owned(),
            members: HashMap::new(),
            wrong: HashMap::new(),
        };
        // One by one: an interrupt may have removed the directory itself, which must not be created again.
        for name in ["blobs", "blobs/sha256"] {
            fs::create_dir(directory.join(name)).map_err(|error| files.failed(error))?;
        }
        let mut members = Members::new(input);
        while let Some(member) = members.next_member()? {
            let name = join("", &member.name);
            let content = match &member.kind {
                Kind::Other => continue,
                Kind::File => {
                    let blob = files.store(Some(member.size), members.content())?;
                    files.store_in_layout(&name, &blob)?;
                    Content::File(blob)
                }
                Kind::Symlink(target) => {
                    let parent = name.rsplit_once('/').map_or("", |(parent, _)| parent);
                    Content::Link(join(parent, target))
                }
                Kind::HardLink(target) => Content::Link(join("", target)),
            };
            let content = match files.members.get(&name) {
                Some(former) if *former != content => Content::Ambiguous,
                _ => content,
            };
            files.members.insert(name, content);
        }
        members.drain()?;
        Ok(files)
    }

    /// Returns the file with a name, following links. Fails if two different members have the name.
    pub(super) fn find(&self, name: &str) -> Result<Option<Blob>, Error> {
        let mut name = join("", name);
        for _ in 0..MAX_LINKS {
            name = match self.members.get(&name) {
                Some(Content::File(blob)) => return Ok(Some(*blob)),
                Some(Content::Link(target)) => target.clone(),
                Some(Content::Ambiguous) => return Err(Error::TwoMembers { name }),
                None => match self.below_link(&name) {
                    Some(name) => name,
                    None => break,
                },
            };
        }
        Ok(None)
    }

    /// Returns another name for a member, if a directory in its name is a link.
    fn below_link(&self, name: &str) -> Option<String> {
        name.match_indices('/').find_map(|(at, _)| {
            let (directory, rest) = name.split_at(at);
            match self.members.get(directory) {
                Some(Content::Link(target)) => Some(join(target, rest.trim_start_matches('/'))),
                _ => None,
            }
        })
    }

    /// Returns the digests of blobs of the layout whose content has another digest, with that one.
    pub(super) fn wrong(&self) -> &HashMap<Digest, Digest> {
        &self.wrong
    }

    /// Reads a small file. Returns `None` if the archive lacks it.
    pub(super) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let Some(blob) = self.find(name)? else {
            return Ok(None);
        };
        let file = File::open(self.path(&blob)).map_err(|error| self.failed(error))?;
        document::read(file)
            .map(Some)
            .map_err(|error| self.failed(error))
    }

    /// Returns the path of a file on the disk.
    pub(super) fn path(&self, blob: &Blob) -> PathBuf {
        self.directory.join(blob_name(&blob.digest))
    }

    /// Writes a file of the layout.
    pub(super) fn write(&self, name: &str, content: &[u8]) -> Result<(), Error> {
        fs::write(self.directory.join(name), content).map_err(|error| self.failed(error))
    }

    pub(super) fn failed(&self, source: io::Error) -> Error {
        Error::Write {
            // The directory itself has a random name, and is gone when the message is read.
            path: output::parent(&self.directory).to_owned(),
            source: output::without_temporary_name(source),
        }
    }

    /// Decompresses a file, and returns the plain one.
    pub(super) fn decompress(&self, blob: &Blob) -> Result<Blob, Error> {
        let file = File::open(self.path(blob)).map_err(|error| self.failed(error))?;
        self.store(None, input::plain(file)?)
    }

    /// Writes content to the blob with its digest. Fails if it is shorter than its size, if that is known.
    fn store(&self, size: Option<u64>, mut content: impl Read) -> Result<Blob, Error> {
        let mut file =
            tempfile::NamedTempFile::new_in(&self.directory).map_err(|error| self.failed(error))?;
        let mut hasher = Hasher::sha256();
        let largest = size.and_then(|size| usize::try_from(size).ok());
        let mut buffer = vec![0; BUFFER.min(largest.unwrap_or(BUFFER).max(1))];
        let mut read = 0;
        loop {
            let count = match content.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Error::Tar(error)),
            };
            let bytes = buffer.get(..count).unwrap_or_default();
            hasher.update(bytes);
            file.write_all(bytes).map_err(|error| self.failed(error))?;
            read += count as u64;
        }
        if size.is_some_and(|size| read < size) {
            return Err(Error::Tar(io::ErrorKind::UnexpectedEof.into()));
        }
        let blob = Blob {
            digest: hasher.finish(),
            size: read,
        };
        file.persist(self.path(&blob))
            .map_err(|error| self.failed(error.error))?;
        Ok(blob)
    }

    /// Stores a member that is a blob of a layout under the digest in its name. Programs leave damaged files beside the
    /// blobs of an image, so a wrong digest is an error only if an image needs the blob.
    fn store_in_layout(&mut self, name: &str, blob: &Blob) -> Result<(), Error> {
        let digest = name
            .strip_prefix("blobs/")
            .and_then(|name| name.split_once('/'))
            .and_then(|(algorithm, hex)| format!("{algorithm}:{hex}").parse::<Digest>().ok());
        match digest {
            Some(named @ Digest::Sha256(_)) if named != blob.digest => {
                self.wrong.insert(named, blob.digest);
                Ok(())
            }
            None | Some(Digest::Sha256(_)) => Ok(()),
            // The readers of the layout verify this digest.
            Some(other) => {
                let path = self.directory.join(blob_name(&other));
                let parent = path.parent().unwrap_or(&self.directory);
                exists_too(fs::create_dir(parent))
                    .and_then(|()| exists_too(fs::hard_link(self.path(blob), &path)))
                    .map_err(|error| self.failed(error))
            }
        }
    }
}

/// Accepts that what is created exists already.
fn exists_too(created: io::Result<()>) -> io::Result<()> {
    match created {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        created => created,
    }
}

/// Returns the name of a member relative to the root of the archive, in one spelling. No name leads out of the archive:
/// its root is `/`, whose parent is `/`, as where Docker unpacks archives.
fn join(parent: &str, name: &str) -> String {
    let parent = if name.starts_with('/') { "" } else { parent };
    let mut parts: Vec<&str> = parent.split('/').filter(|part| !part.is_empty()).collect();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_inside_of_the_archive() {
        for (parent, name, expected) in [
            ("", "./manifest.json", "manifest.json"),
            ("a", "../b/layer.tar", "b/layer.tar"),
            ("", "a//b/./c", "a/b/c"),
            ("", "..", ""),
            ("a", "../../etc/passwd", "etc/passwd"),
            ("a", "/etc/passwd", "etc/passwd"),
        ] {
            assert_eq!(join(parent, name), expected, "{parent} {name}");
        }
    }
}
