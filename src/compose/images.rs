//! The images of a project, and how the same service or volume in several files becomes one.

use std::collections::HashMap;

use super::error::Error;
use crate::printable::Printable;

/// The images of a Compose file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Images {
    /// The services that run an image, in the order of the file.
    pub services: Vec<Service>,
    /// The volumes of active services that mount an image.
    pub volumes: Vec<ImageVolume>,
    /// Notes for the user: what was ignored, and why.
    pub notes: Vec<String>,
}

/// A service that runs an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The name.
    pub name: String,
    /// The image that the file names, with its variables replaced.
    pub image: String,
    /// The image as the file has it, with variables.
    pub written: String,
    /// The platform that the file requests.
    pub platform: Option<String>,
    /// Whether the service also has a `build`, whose result gets the name of the image.
    pub is_built: bool,
    /// Whether another file has the service, which the project includes.
    pub is_included: bool,
}

/// A volume that mounts an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageVolume {
    /// The service.
    pub service: String,
    /// The path in the container.
    pub target: String,
    /// The image that the file names, with its variables replaced.
    pub image: String,
    /// The image as the file has it, with variables.
    pub written: String,
    /// The directory of the image that is mounted, if it is not the whole image.
    pub subpath: Option<String>,
    /// The value of `read_only`, if the file has one.
    pub read_only: Option<bool>,
    /// The value of `consistency`, if the file has one.
    pub consistency: Option<String>,
}

/// Images that are being collected. A file that is included twice adds nothing the second time.
#[derive(Default)]
pub(super) struct Collection {
    images: Images,
    /// The positions of the services in `images`.
    known: HashMap<String, usize>,
}

impl Collection {
    /// Adds a service. Fails if another file has the same service, with a difference.
    pub(super) fn add_service(&mut self, service: Service) -> Result<(), Error> {
        let services = &mut self.images.services;
        let position = self.known.get(&service.name);
        match position.and_then(|position| services.get(*position)) {
            Some(known) if known.image == service.image && known.platform == service.platform => {}
            Some(_) => return Err(Error::Conflict(Printable::new(&service.name))),
            None => {
                self.known.insert(service.name.clone(), services.len());
                services.push(service);
            }
        }
        Ok(())
    }

    /// Adds a volume. Fails if another file has the same volume, with a difference.
    pub(super) fn add_volume(&mut self, volume: ImageVolume) -> Result<(), Error> {
        let mut known = self.images.volumes.iter();
        let same =
            |known: &&ImageVolume| known.service == volume.service && known.target == volume.target;
        match known.find(same) {
            Some(known) if *known == volume => Ok(()),
            Some(_) => Err(Error::Conflict(Printable::new(&volume.service))),
            None => {
                self.images.volumes.push(volume);
                Ok(())
            }
        }
    }

    /// Adds a note for the user.
    pub(super) fn note(&mut self, note: String) {
        self.images.notes.push(note);
    }

    /// Returns what was collected.
    pub(super) fn finish(self) -> Images {
        self.images
    }
}
