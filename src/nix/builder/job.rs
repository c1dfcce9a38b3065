//! The job of a derivation: the attribute that is present decides on its kind.

use super::archive::ArchiveJob;
use super::attributes::Attributes;
use super::blob::BlobJob;
use super::erofs::ErofsJob;
use super::error::Error;
use super::rootfs::RootfsJob;
use super::service::ServiceJob;
use crate::nix::image::ImageJob;
use crate::nix::podman_store::PodmanStoreJob;

/// A job that a derivation describes.
#[derive(Clone, Debug, PartialEq)]
pub enum Job {
    /// An image as one file.
    Archive(ArchiveJob),
    /// Fetch one layer or config into a file.
    Blob(Box<BlobJob>),
    /// All layers of an image as one file system.
    Rootfs(RootfsJob),
    /// The systemd unit of an image.
    Service(ServiceJob),
    /// A layer as a file system image.
    Erofs(ErofsJob),
    /// The store from which podman runs an image.
    PodmanStore(Box<PodmanStoreJob>),
    /// Make the outputs of `fetchdocker`, with links to layers in the store.
    Image(Box<ImageJob>),
}

impl Job {
    /// Parses the job from the attributes.
    pub fn of(attributes: &Attributes) -> Result<Self, Error> {
        let out = attributes.output("out").ok_or(Error::Missing("out"))?;
        let spec = attributes.structure("imageSpec");
        if let Some(spec) = spec.map_err(Error::ImageSpec)? {
            return Ok(Self::Image(Box::new(ImageJob {
                spec,
                out,
                stream: attributes.output("stream"),
            })));
        }
        let archive = attributes.structure("imageArchive");
        if let Some(raw) = archive.map_err(Error::ImageArchive)? {
            return Ok(Self::Archive(ArchiveJob::of(raw, out)));
        }
        let rootfs = attributes.structure("imageRootfs");
        if let Some(raw) = rootfs.map_err(Error::ImageRootfs)? {
            return Ok(Self::Rootfs(RootfsJob::of(
                raw,
                out,
                attributes.output("users"),
            )));
        }
        let service = attributes.structure("imageService");
        if let Some(raw) = service.map_err(Error::ImageService)? {
            return Ok(Self::Service(ServiceJob::of(raw, out)));
        }
        if let Some(layer) = attributes.text("erofsLayer")? {
            let layer = layer.into();
            return Ok(Self::Erofs(ErofsJob { out, layer }));
        }
        let store = attributes.structure("podmanStore");
        if let Some(spec) = store.map_err(Error::PodmanStore)? {
            return Ok(Self::PodmanStore(Box::new(PodmanStoreJob { out, spec })));
        }
        let blob = BlobJob::of(attributes, out)?;
        Ok(Self::Blob(Box::new(blob)))
    }
}

#[cfg(test)]
mod tests;
