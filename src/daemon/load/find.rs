//! Finds the image on disk, and checks that it fits the daemon.

use std::collections::HashSet;

use tokio::task::spawn_blocking;

use super::{Error, LoadOptions};
use crate::archive::composition::Composition;
use crate::archive::names::Names;
use crate::archive::stored_image::{self, Selection};
use crate::compression::Limit;
use crate::daemon::digest_name::DigestName;
use crate::daemon::store::Store;
use crate::daemon::tag::TagName;
use crate::daemon::upload::PayloadSource;
use crate::oci::config::ImageConfig;
use crate::oci::digest::Digest;
use crate::oci::document::Document;
use crate::oci::index::Index;
use crate::oci::platform::Platform;

/// An image on disk, and its names and ID in the daemon.
pub(in crate::daemon) struct FoundImage {
    pub(in crate::daemon) composition: Composition,
    pub(in crate::daemon) config: Document<ImageConfig>,
    /// The names in the archive.
    pub(in crate::daemon) names: Names,
    /// All names that the image gets in the daemon.
    pub(in crate::daemon) tags: Vec<TagName>,
    /// The name with a digest, if the image has such a name and the daemon can keep it.
    pub(in crate::daemon) digest_name: Option<DigestName>,
    pub(in crate::daemon) id: Digest,
    pub(in crate::daemon) limit: Limit,
    keeps_index: bool,
}

impl FoundImage {
    /// Returns the index, if the daemon can keep its digest.
    pub(in crate::daemon) fn index(&self) -> Option<&Document<Index>> {
        self.composition.named_index().filter(|_| self.keeps_index)
    }

    /// Returns the input of an archive without the layers in `left_out`.
    pub(in crate::daemon) fn payload<'a>(
        &'a self,
        left_out: &'a HashSet<Digest>,
    ) -> PayloadSource<'a> {
        PayloadSource {
            composition: &self.composition,
            index: self.index(),
            config: &self.config,
            names: &self.names,
            left_out,
            limit: self.limit,
        }
    }

    /// Returns the digest by which the daemon fetches the image: that of the index or of the manifest.
    pub(in crate::daemon) fn digest(&self) -> &Digest {
        match self.index() {
            Some(index) => index.digest(),
            None => self.composition.manifest().digest(),
        }
    }
}

/// Opens the image on disk, and checks that it fits the daemon, which has this platform and this store.
pub(in crate::daemon) async fn find(
    platform: &Platform,
    kind: Store,
    options: LoadOptions,
) -> Result<FoundImage, Error> {
    let daemons_own = options.platform.is_none();
    let of_daemon = platform.clone();
    let wanted = options.platform.clone().unwrap_or_else(|| platform.clone());
    // Blobs that are links may be hashed, which takes time in proportion to their size.
    spawn_blocking(move || {
        let selection = Selection {
            name: options.name.as_deref(),
            platform: &wanted,
            // The daemon's own platform is compared with the config, below.
            is_platform_required: !daemons_own,
        };
        let opened = match &options.images {
            Some(images) => stored_image::of_layout(images, &options.path, &selection),
            None => stored_image::open(&options.path, &selection),
        };
        let composition = opened.map_err(|source| match source {
            stored_image::Error::Platform { .. } if daemons_own => Error::NoneForDaemon(source),
            source => Error::Open(source),
        })?;
        let config = composition.image_config()?;
        if !fits(&wanted, config.platform(), daemons_own) {
            return Err(crate::daemon::Error::Platform {
                image: config.platform().normalised(),
                wanted,
            }
            .into());
        }
        let (names, tags) = names(&composition.names, &options.tags)?;
        let keeps_index = match kind {
            Store::Docker { .. } => false,
            Store::Podman => true,
            Store::Containerd => is_selected_by(&composition, &of_daemon),
        };
        let mut found = FoundImage {
            id: *config.digest(),
            composition,
            config,
            names,
            tags,
            digest_name: None,
            limit: options.limit,
            keeps_index,
        };
        if kind == Store::Containerd {
            found.id = *found.digest();
        }
        if kind.keeps_digests() && found.names.digest().is_some() {
            let names = found.names.with_digest(found.digest());
            found.digest_name = names.reference.and_then(|name| name.parse().ok());
        }
        Ok(found)
    })
    .await?
}

/// Returns whether containerd's store selects this manifest from its index. It takes the entry for its own platform, and
/// an image for another platform would hide behind that entry. It fails at an entry without the media type of a manifest.
fn is_selected_by(composition: &Composition, platform: &Platform) -> bool {
    let manifest = composition.manifest().digest();
    composition.named_index().is_some_and(|index| {
        let mut entries = index.manifests.iter();
        let entry = entries.find(|entry| entry.digest == *manifest);
        let entry = entry.filter(|entry| entry.media_type.is_manifest());
        let named = entry.and_then(|entry| entry.platform.as_ref());
        named.is_some_and(|named| fits(platform, named, true))
    })
}

/// Returns whether an image fits the wanted platform. A daemon does not report its variant, so the variant of
/// `daemons_own` platforms is ignored. An image without a platform fits every platform.
fn fits(wanted: &Platform, image: &Platform, daemons_own: bool) -> bool {
    let (wanted, image) = (wanted.normalised(), image.normalised());
    if image.is_unnamed() {
        true
    } else if daemons_own {
        // Docker and Podman accept a config that names only one of the two.
        let is = |wanted: &str, image: &str| image.is_empty() || wanted == image;
        is(&wanted.os, &image.os) && is(&wanted.architecture, &image.architecture)
    } else {
        wanted.distance_to(&image).is_some()
    }
}

/// Returns the names for the archive, and all names: those of the image, and the further ones.
fn names(own: &Names, tags: &[TagName]) -> Result<(Names, Vec<TagName>), Error> {
    let mut all: Vec<TagName> = Vec::new();
    let own_tags = own.repo_tags.iter().map(|name| name.parse());
    for name in own_tags.chain(tags.iter().cloned().map(Ok)) {
        let name = name?;
        if !all.contains(&name) {
            all.push(name);
        }
    }
    let mut names = match (&own.reference, all.first()) {
        (Some(_), _) => own.clone(),
        (None, Some(first)) => Names::of_reference(&first.reference()),
        // Some daemons would interpret a tag without a repository as the name of a repository.
        (None, None) => Names::default(),
    };
    // Podman would add `localhost/` to short names in `manifest.json`.
    let full = |name: &TagName| format!("{}:{}", name.full_name(), name.tag());
    names.repo_tags = all.iter().map(full).collect();
    Ok((names, all))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform(text: &str) -> Platform {
        text.parse().unwrap()
    }

    #[test]
    fn an_image_fits_a_daemon_by_system_and_architecture() {
        for (wanted, image, daemons_own, fit) in [
            ("linux/amd64", "linux/amd64", true, true),
            ("linux/amd64", "linux/arm64", true, false),
            ("linux/amd64", "windows/amd64", true, false),
            // The daemon reports `arm`, and may run on an older machine.
            ("linux/arm/v6", "linux/arm/v7", true, true),
            ("linux/arm/v6", "linux/arm/v7", false, false),
            ("linux/arm/v7", "linux/arm/v6", false, true),
        ] {
            assert_eq!(
                fits(&platform(wanted), &platform(image), daemons_own),
                fit,
                "{wanted} {image}"
            );
        }
        for (os, architecture, fit) in [
            ("", "", true),
            ("linux", "", true),
            ("", "amd64", true),
            ("windows", "", false),
        ] {
            let image = Platform {
                os: os.to_owned(),
                architecture: architecture.to_owned(),
                ..Platform::default()
            };
            assert_eq!(fits(&platform("linux/amd64"), &image, true), fit, "{image}");
        }
    }

    #[test]
    fn an_image_keeps_its_names_and_gets_further_ones() {
        let tags = |texts: &[&str]| -> Vec<TagName> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        let own = Names::of_reference(&"debian:12".parse().unwrap());
        let (in_archive, all) =
            names(&own, &tags(&["a:1", "docker.io/library/debian:12"])).unwrap();
        assert_eq!(all, tags(&["debian:12", "a:1"]));
        assert_eq!(
            in_archive.repo_tags,
            ["docker.io/library/debian:12", "docker.io/library/a:1"]
        );
        assert_eq!(in_archive.reference, own.reference);

        let tag_alone = Names {
            tag: Some("12".to_owned()),
            ..Names::default()
        };
        let (in_archive, all) = names(&tag_alone, &tags(&["a:1"])).unwrap();
        assert_eq!(all, tags(&["a:1"]));
        assert_eq!(
            in_archive.reference.as_deref(),
            Some("docker.io/library/a:1")
        );
        let (in_archive, all) = names(&tag_alone, &[]).unwrap();
        assert_eq!((in_archive, all), (Names::default(), vec![]));
    }
}
