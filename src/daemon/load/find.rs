//! The image that is meant, as it lies on disk, and whether it is one for the daemon.

use tokio::task::spawn_blocking;

use super::{Error, Order};
use crate::archive::composition::Composition;
use crate::archive::names::Names;
use crate::archive::stored_image::{self, Choice};
use crate::compression::Limit;
use crate::daemon::client::Daemon;
use crate::daemon::store::Store;
use crate::daemon::tag::TagName;
use crate::oci::config::ImageConfig;
use crate::oci::digest::Digest;
use crate::oci::document::Document;
use crate::oci::platform::Platform;

/// An image that was found, and what it is to become.
pub(super) struct Work {
    pub(super) composition: Composition,
    pub(super) config: Document<ImageConfig>,
    /// What it is called in the archive.
    pub(super) names: Names,
    /// All names that it is to have.
    pub(super) tags: Vec<TagName>,
    pub(super) id: Digest,
    pub(super) limit: Limit,
}

/// Opens the image on disk, and sees whether it is one for the daemon.
pub(super) async fn find(daemon: &Daemon, order: Order) -> Result<Work, Error> {
    let wanted = order
        .platform
        .clone()
        .unwrap_or_else(|| daemon.platform().clone());
    let daemons_own = order.platform.is_none();
    let kind = daemon.kind();
    // Blobs that are links may have to be hashed, which takes as long as they are large.
    spawn_blocking(move || {
        let choice = Choice {
            name: order.name.as_deref(),
            platform: &wanted,
        };
        let composition =
            stored_image::open(&order.path, &choice).map_err(|source| match source {
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
        let (names, tags) = names(&composition.names, &order.tags)?;
        Ok(Work {
            id: match kind {
                Store::Containerd => *composition.manifest().digest(),
                Store::Docker { .. } | Store::Podman => *config.digest(),
            },
            composition,
            config,
            names,
            tags,
            limit: order.limit,
        })
    })
    .await?
}

/// Whether an image is for the platform that is wanted. A daemon does not tell its variant; and an image that
/// does not tell its platform is taken at its word.
fn fits(wanted: &Platform, image: &Platform, daemons_own: bool) -> bool {
    let (wanted, image) = (wanted.normalised(), image.normalised());
    if image.is_unnamed() {
        true
    } else if daemons_own {
        wanted.os == image.os && wanted.architecture == image.architecture
    } else {
        wanted.distance_to(&image).is_some()
    }
}

/// The image's names in the archive, and all of them: its own and those that were asked for.
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
        // A tag without a repository would become a repository of that name with some daemons.
        (None, None) => Names::default(),
    };
    names.repo_tags = all.iter().map(ToString::to_string).collect();
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
            // The daemon says `arm`, and runs on an older machine perhaps.
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
        let unknown = Platform::default();
        assert!(fits(&platform("linux/amd64"), &unknown, true));
    }

    #[test]
    fn an_image_keeps_its_names_and_gets_more() {
        let tags = |texts: &[&str]| -> Vec<TagName> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        let own = Names::of_reference(&"debian:12".parse().unwrap());
        let (in_archive, all) =
            names(&own, &tags(&["a:1", "docker.io/library/debian:12"])).unwrap();
        assert_eq!(all, tags(&["debian:12", "a:1"]));
        assert_eq!(in_archive.repo_tags, ["debian:12", "a:1"]);
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
