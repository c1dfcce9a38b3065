//! The override file of `hocker lock compose --override`.

use std::io::{Read as _, Write as _};
use std::path::Path;

use super::super::{Error, report};
use super::named_image::NamedImage;
use hocker::compose::{HEADER, Images, Pins};
use hocker::input;
use hocker::lock::Lock;
use hocker::name::Reference;
use hocker::name::endpoint::Endpoint;
use hocker::oci::digest::Digest;
use hocker::output::{self, Existing, OutputFile};
use hocker::printable::Printable;

/// Writes an override file that pins images to the digests of a lock. It replaces a file that this command wrote, and any
/// other file with `force`.
pub(super) fn write(images: &Images, lock: &Lock, path: &Path, force: bool) -> Result<(), Error> {
    let text = pins(images, lock)?.text();
    let existing = if force || is_own(path) {
        Existing::Replace
    } else {
        Existing::Refuse
    };
    let mut file = OutputFile::create(path, existing)?;
    file.write_all(text.as_bytes())
        .map_err(|source| output::Error::write(path, source))?;
    Ok(file.commit()?)
}

fn pins(images: &Images, lock: &Lock) -> Result<Pins, Error> {
    let mut pins = Pins::default();
    for service in &images.services {
        let (reference, endpoint) = NamedImage::of_service(service).reference()?;
        let name = Printable::new(&service.name);
        if service.is_built {
            // A build cannot give its result a digest.
            report::note(&Printable::new(&format!(
                "{name} is built from source; the override file does not pin its image"
            )));
            continue;
        }
        if service.is_included {
            report::note(&Printable::new(&format!(
                "{name} is in an included file; if your Compose refuses the override file, name it under `include` with \
                 `path: [FILE, OVERRIDE]`"
            )));
        }
        if let Some(digest) = locked(lock, &reference, &endpoint) {
            pins.service(&service.name, &reference, &digest);
        }
    }
    for volume in &images.volumes {
        let (reference, endpoint) = NamedImage::of_volume(volume).reference()?;
        if let Some(digest) = locked(lock, &reference, &endpoint) {
            pins.volume(volume, &reference, &digest);
        }
    }
    Ok(pins)
}

/// Returns the locked digest of an image. Every image of the Compose file has one after the lock was written.
fn locked(lock: &Lock, reference: &Reference, endpoint: &Endpoint) -> Option<Digest> {
    let mut images = lock.images.values();
    images
        .find(|image| image.reference() == reference && image.endpoint().base() == endpoint.base())?
        .digest()
}

/// Returns whether this command wrote a file.
fn is_own(path: &Path) -> bool {
    let mut start = Vec::new();
    let read =
        input::open(path).and_then(|file| file.take(HEADER.len() as u64).read_to_end(&mut start));
    read.is_ok() && start == HEADER.as_bytes()
}
