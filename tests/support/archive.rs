//! Archives of images as other programs write them, made in memory.

use serde_json::{Value, json};

use super::image::{Image, hex};

/// Members of a tar archive, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Archive(Vec<Member>);

#[derive(Clone, Debug)]
enum Member {
    File(String, Vec<u8>),
    Link(String, String),
}

impl Archive {
    pub(crate) fn file(mut self, name: &str, content: impl Into<Vec<u8>>) -> Self {
        self.0.push(Member::File(name.to_owned(), content.into()));
        self
    }

    /// Adds a symbolic link.
    pub(crate) fn link(mut self, name: &str, target: &str) -> Self {
        self.0
            .push(Member::Link(name.to_owned(), target.to_owned()));
        self
    }

    pub(crate) fn json(self, name: &str, value: &Value) -> Self {
        self.file(name, value.to_string())
    }

    /// Returns the archive. Names are written as they are, even if they lead elsewhere.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        for member in &self.0 {
            let (name, content, target) = match member {
                Member::File(name, content) => (name, &content[..], None),
                Member::Link(name, target) => (name, &b""[..], Some(target)),
            };
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            if let Some(target) = target {
                header.set_entry_type(tar::EntryType::Symlink);
                header.as_old_mut().linkname[..target.len()].copy_from_slice(target.as_bytes());
            }
            header.set_cksum();
            archive.append(&header, content).unwrap();
        }
        archive.into_inner().unwrap()
    }
}

/// Returns what Docker before version 25 writes: a directory for each layer, a link for a layer that occurs twice, and
/// `manifest.json` at the end.
pub(crate) fn old_docker_save(image: &Image, tags: &[&str]) -> Archive {
    let mut archive = Archive::default();
    let mut names = Vec::new();
    for (position, layer) in image.layers.iter().enumerate() {
        let name = format!("{position:064}/layer.tar");
        let first = image.layers[..position]
            .iter()
            .position(|other| other.tar == layer.tar);
        archive = archive.file(&format!("{position:064}/VERSION"), "1.0");
        archive = match first {
            Some(first) => archive.link(&name, &format!("../{first:064}/layer.tar")),
            None => archive.file(&name, layer.tar.clone()),
        };
        names.push(name);
    }
    let config = format!("{}.json", hex(&image.config));
    archive
        .file(&config, image.config.clone())
        .json("manifest.json", &manifest_json(&config, tags, &names))
}

/// Returns an archive with several images, each with its names or `null`. Members that images share occur twice.
pub(crate) fn several(images: &[(&Image, Value)]) -> Archive {
    let mut archive = Archive::default();
    let mut items = Vec::new();
    for (image, tags) in images {
        let mut names = Vec::new();
        for layer in &image.layers {
            let name = format!("{}/layer.tar", hex(&layer.tar));
            archive = archive.file(&name, layer.tar.clone());
            names.push(name);
        }
        let config = format!("{}.json", hex(&image.config));
        archive = archive.file(&config, image.config.clone());
        items.push(json!({ "Config": config, "RepoTags": tags, "Layers": names }));
    }
    archive.json("manifest.json", &json!(items))
}

/// Returns what crane, kaniko and jib write: compressed layers, and one member for each.
pub(crate) fn crane(image: &Image, tags: &[&str]) -> Archive {
    let config = format!("sha256:{}", hex(&image.config));
    let mut archive = Archive::default().file(&config, image.config.clone());
    let mut names = Vec::new();
    for layer in &image.layers {
        let name = format!("{}.tar.gz", hex(&layer.blob));
        if !names.contains(&name) {
            archive = archive.file(&name, layer.blob.clone());
        }
        names.push(name);
    }
    archive.json("manifest.json", &manifest_json(&config, tags, &names))
}

/// Returns an OCI image layout. The names of its members begin with `./`, as `tar -c .` writes them.
pub(crate) fn oci(image: &Image, name: &str) -> Archive {
    let mut entry = image.descriptor();
    entry["annotations"] = json!({ "io.containerd.image.name": name });
    let mut archive = Archive::default()
        .json("./oci-layout", &json!({ "imageLayoutVersion": "1.0.0" }))
        .json(
            "./index.json",
            &json!({ "schemaVersion": 2, "manifests": [entry] }),
        );
    let layers = image.layers.iter().map(|layer| &layer.blob);
    for blob in [&image.config, &image.manifest].into_iter().chain(layers) {
        archive = archive.file(&format!("./blobs/sha256/{}", hex(blob)), blob.clone());
    }
    archive
}

pub(crate) fn manifest_json(config: &str, tags: &[&str], layers: &[String]) -> Value {
    json!([{ "Config": config, "RepoTags": tags, "Layers": layers }])
}
