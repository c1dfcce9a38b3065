//! Writing an OCI image layout as a directory.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::{OCI_LAYOUT, blob_name, index};
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::Digest;

/// A writer of a layout with one image.
#[derive(Debug)]
pub struct LayoutWriter {
    directory: PathBuf,
}

impl LayoutWriter {
    /// Starts a layout in a directory, which is created if necessary.
    pub fn create(directory: &Path) -> io::Result<Self> {
        fs::create_dir_all(directory.join("blobs"))?;
        Ok(Self {
            directory: directory.to_owned(),
        })
    }

    /// Creates the file of a blob. Fails if it exists.
    pub fn create_blob(&self, digest: &Digest) -> io::Result<File> {
        File::create_new(self.blob_path(digest)?)
    }

    /// Creates a link to `target` as the file of a blob.
    pub fn link_blob(&self, digest: &Digest, target: &Path) -> io::Result<()> {
        symlink(target, self.blob_path(digest)?)
    }

    /// Writes `index.json` with `entries` for the only image, and then `oci-layout`.
    pub fn finish(&self, entries: &[Descriptor]) -> io::Result<()> {
        fs::write(self.directory.join("index.json"), index(entries))?;
        fs::write(self.directory.join("oci-layout"), OCI_LAYOUT)
    }

    fn blob_path(&self, digest: &Digest) -> io::Result<PathBuf> {
        let parent = self.directory.join("blobs").join(digest.algorithm());
        // Only this directory: an interrupt may have removed the layout, which must not be created again.
        match fs::create_dir(parent) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        Ok(self.directory.join(blob_name(digest)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::names::Names;
    use crate::oci::media_type::MediaType;

    #[test]
    fn a_layout_that_was_removed_is_not_created_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("oci");
        let layout = LayoutWriter::create(&path).unwrap();
        fs::remove_dir_all(&path).unwrap();
        assert!(layout.create_blob(&Digest::of(b"{}")).is_err());
        assert!(!path.exists());
    }

    #[test]
    fn a_layout_holds_its_blobs_once_and_names_its_image() {
        let directory = tempfile::tempdir().unwrap();
        let layout = LayoutWriter::create(&directory.path().join("oci")).unwrap();
        let digest = Digest::of(b"{}");
        layout.create_blob(&digest).unwrap();
        assert!(layout.create_blob(&digest).is_err());
        let other = Digest::of(b"");
        layout.link_blob(&other, Path::new("/nix/store/x")).unwrap();
        let names = Names::of_reference(&"debian:12".parse().unwrap());
        let manifest = names.entries(&Descriptor::new(MediaType::OCI_MANIFEST, digest, 2));
        layout.finish(&manifest).unwrap();
        let read =
            |name: &str| fs::read_to_string(directory.path().join("oci").join(name)).unwrap();
        assert_eq!(read("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#);
        let index: serde_json::Value = serde_json::from_str(&read("index.json")).unwrap();
        assert_eq!(index["manifests"][0]["digest"], digest.to_string());
        assert_eq!(
            index["manifests"][0]["annotations"]["io.containerd.image.name"],
            "docker.io/library/debian:12"
        );
        let link = directory.path().join("oci").join(blob_name(&other));
        assert_eq!(fs::read_link(link).unwrap(), Path::new("/nix/store/x"));
    }
}
