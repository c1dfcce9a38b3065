//! `hocker lock check --available`: check whether the registries still have everything that the lock pins. Each digest is
//! asked for once, in one repository after the other until one has it, as a build of Nix does.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::json;

use super::super::args::lock::CheckArgs;
use super::super::{Context, Error, report, stdout};
use super::changes;
use super::each;
use super::error::LockError;
use super::file::LockFile;
use super::registries::Registries;
use hocker::lock::{LockedImage, Name};
use hocker::name::Reference;
use hocker::name::endpoint::Endpoint;
use hocker::oci::digest::Digest;
use hocker::printable::Printable;
use hocker::registry::Role;

/// What a digest names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Index,
    Manifest,
    Config,
    Layer,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::Manifest => "manifest",
            Self::Config => "config",
            Self::Layer => "layer",
        }
    }
}

/// Content that the lock pins.
#[derive(Debug, Default)]
struct Pinned {
    names: BTreeSet<Name>,
    /// The repositories that should have it.
    places: Vec<(Endpoint, Reference)>,
}

type Pins = BTreeMap<(Digest, Kind), Pinned>;

pub(super) async fn run(args: CheckArgs, path: &Path, context: &Context) -> Result<(), Error> {
    let file = LockFile::read(path)?;
    let images = file.chosen(&args.names)?;
    let mut pins = Pins::new();
    for (name, image) in &images {
        add(&mut pins, name, image);
    }
    let places = images
        .iter()
        .map(|(_, image)| (image.endpoint(), &image.reference().repository));
    let registries = Registries::new(context, args.credentials, places).await?;
    let mut work = Vec::new();
    for ((digest, kind), pinned) in &pins {
        work.push(is_available(*digest, *kind, pinned, &registries));
    }
    let found = each::all(context, work).await;
    let mut gone = Vec::new();
    let mut failures = Vec::new();
    for (((digest, kind), pinned), found) in pins.iter().zip(found) {
        match found {
            Ok(true) => {}
            Ok(false) => gone.push((digest, kind, pinned)),
            Err(error) => {
                let name = pinned.names.first().cloned();
                failures.extend(name.map(|name| (name, error)));
            }
        }
    }
    for (digest, kind, pinned) in &gone {
        report::note(&Printable::new(&format!(
            "{}: the {} {digest} is gone from {}",
            names(pinned).join(", "),
            kind.name(),
            repositories(pinned).join(", ")
        )));
    }
    if args.json {
        let gone = gone.iter().map(|(digest, kind, pinned)| {
            json!({
                "names": names(pinned),
                "kind": kind.name(),
                "digest": digest,
                "repositories": repositories(pinned),
            })
        });
        let failed = failures.iter().map(
            |(name, error)| json!({"name": name.as_str(), "error": report::line(error).as_str()}),
        );
        let document = json!({
            "checked": pins.len(),
            "gone": gone.collect::<Vec<_>>(),
            "failed": failed.collect::<Vec<_>>(),
        });
        stdout::write(format!("{document:#}\n").as_bytes())?;
    }
    let images: BTreeSet<_> = gone
        .iter()
        .flat_map(|(_, _, pinned)| &pinned.names)
        .collect();
    let answer = (!gone.is_empty()).then_some(LockError::Gone {
        gone: gone.len(),
        all: pins.len(),
        images: images.len(),
    });
    changes::answer(answer, failures)
}

/// Adds the content of an image: the index, and for each platform the manifest, the config and the layers. A layer with
/// URLs of its own is not the registry's, so it is left out.
fn add(pins: &mut Pins, name: &Name, image: &LockedImage) {
    let mut push = |digest: Digest, kind: Kind| {
        let pinned = pins.entry((digest, kind)).or_default();
        pinned.names.insert(name.clone());
        let reference = Reference {
            tag: None,
            digest: Some(digest),
            ..image.reference().clone()
        };
        let place = (image.endpoint().clone(), reference);
        if !pinned.places.contains(&place) {
            pinned.places.push(place);
        }
    };
    if let Some(index) = image.index() {
        push(index.descriptor.digest, Kind::Index);
    }
    for locked in image.platforms().values() {
        push(*locked.manifest.digest(), Kind::Manifest);
        push(locked.manifest.config.digest, Kind::Config);
        for layer in locked
            .manifest
            .layers
            .iter()
            .filter(|layer| layer.urls.is_empty())
        {
            push(layer.digest, Kind::Layer);
        }
    }
}

/// Returns whether one of the repositories has the content. Fails if none has it, and one cannot be asked.
async fn is_available(
    digest: Digest,
    kind: Kind,
    pinned: &Pinned,
    registries: &Registries<'_>,
) -> Result<bool, Error> {
    let mut failure = None;
    for (endpoint, reference) in &pinned.places {
        let repository = &reference.repository;
        let registry = registries.acquire(endpoint, repository).await?;
        let found = match kind {
            Kind::Index | Kind::Manifest => registry.has_manifest(reference).await,
            Kind::Config => registry.has_blob(repository, Role::Config, digest).await,
            Kind::Layer => registry.has_blob(repository, Role::Layer, digest).await,
        };
        match found {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(error) => failure = Some(error),
        }
    }
    failure.map_or(Ok(false), |error| Err(error.into()))
}

fn names(pinned: &Pinned) -> Vec<String> {
    pinned.names.iter().map(ToString::to_string).collect()
}

fn repositories(pinned: &Pinned) -> Vec<String> {
    let places = pinned.places.iter();
    places.map(|(_, reference)| reference.full_name()).collect()
}
