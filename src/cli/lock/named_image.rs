//! An image that a Compose file names, for a service or for a volume.

use super::super::Error;
use super::addition::parse;
use super::error::LockError;
use hocker::compose::{ImageVolume, Service};
use hocker::name::Reference;
use hocker::name::endpoint::Endpoint;
use hocker::printable::Printable;

/// An image that a Compose file names.
pub(super) struct NamedImage<'a> {
    pub(super) service: &'a str,
    pub(super) image: &'a str,
    written: &'a str,
    pub(super) platform: Option<&'a str>,
}

impl<'a> NamedImage<'a> {
    pub(super) fn of_service(service: &'a Service) -> Self {
        Self {
            service: &service.name,
            image: &service.image,
            written: &service.written,
            platform: service.platform.as_deref(),
        }
    }

    pub(super) fn of_volume(volume: &'a ImageVolume) -> Self {
        Self {
            service: &volume.service,
            image: &volume.image,
            written: &volume.written,
            platform: None,
        }
    }

    /// Parses the image. The error shows it as the file has it, without the values of variables.
    pub(super) fn reference(&self) -> Result<(Reference, Endpoint), Error> {
        match parse(self.image, None) {
            Err(Error::Reference { source, .. }) => Err(LockError::Service {
                name: Printable::new(self.service),
                written: Printable::new(self.written),
                source: (self.image == self.written).then_some(source),
            }
            .into()),
            outcome => outcome,
        }
    }
}
