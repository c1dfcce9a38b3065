//! `hocker lock diff`: what changed in the lock file since a commit.

use std::path::Path;

use super::super::args::{DiffFormat, LockDiffArgs};
use super::super::diff::open::{Documents, PackageReader};
use super::super::diff::options;
use super::super::{Context, Error, stdout};
use super::each;
use super::file::LockFile;
use super::git;
use super::registries::Registries;
use hocker::diff::{ImageDiff, LockDiff, PlatformDiff, Side, json, markdown, text};
use hocker::lock::{Lock, LockedImage, Name};
use hocker::oci::platform::Platform;

pub(super) async fn run(args: LockDiffArgs, path: &Path, context: &Context) -> Result<(), Error> {
    let new = LockFile::read(path)?.lock;
    let old = git::lock_at(path, &args.revision).await?;
    let mut diff = LockDiff::between(&old, &new);
    let (shown, limit) = (args.shown, args.limit.max_layer_size);
    if args.fetch || args.fetch_layers {
        let reader = args
            .fetch_layers
            .then(|| PackageReader::new(limit.unwrap_or_default()));
        let locks = Locks {
            old: &old,
            new: &new,
        };
        fetch(&mut diff, &locks, reader.as_ref(), args, context).await?;
    }
    let options = options(shown);
    match shown.format() {
        DiffFormat::Text => stdout::lines(&text::locks(&diff, options)),
        DiffFormat::Json => stdout::write(json::locks(&diff, options).as_bytes()),
        DiffFormat::Markdown => stdout::write(markdown::locks(&diff, options).as_bytes()),
    }
}

/// The two locks.
struct Locks<'a> {
    old: &'a Lock,
    new: &'a Lock,
}

/// An image on a platform that both locks have.
struct Pair<'a> {
    old: &'a LockedImage,
    new: &'a LockedImage,
    platform: &'a Platform,
    diff: &'a mut Box<ImageDiff>,
}

impl<'a> Locks<'a> {
    fn pair(
        &self,
        name: &Name,
        platform: &'a Platform,
        diff: &'a mut PlatformDiff,
    ) -> Option<Pair<'a>> {
        match diff {
            PlatformDiff::Changed(diff) if !diff.is_same() => Some(Pair {
                old: self.old.images.get(name)?,
                new: self.new.images.get(name)?,
                platform,
                diff,
            }),
            _ => None,
        }
    }
}

/// Fetches the configs of images that changed, and with `reader` the layers.
async fn fetch(
    diff: &mut LockDiff,
    locks: &Locks<'_>,
    reader: Option<&PackageReader>,
    args: LockDiffArgs,
    context: &Context,
) -> Result<(), Error> {
    let pairs: Vec<_> = diff
        .images
        .iter_mut()
        .flat_map(|change| {
            let name = &change.name;
            let platforms = change.platforms.iter_mut();
            platforms.filter_map(move |(platform, diff)| locks.pair(name, platform, diff))
        })
        .collect();
    if pairs.is_empty() {
        return Ok(());
    }
    let places = pairs.iter().flat_map(|pair| [pair.old, pair.new]);
    let places: Vec<_> = places
        .map(|image| (image.endpoint(), &image.reference().repository))
        .collect();
    let registries = Registries::new(context, args.credentials, places.into_iter()).await?;
    let fetched = each::all(
        context,
        pairs
            .into_iter()
            .map(async |mut pair| pair.fetch(&registries, reader, context).await),
    )
    .await;
    fetched.into_iter().collect()
}

impl Pair<'_> {
    async fn fetch(
        &mut self,
        registries: &Registries<'_>,
        reader: Option<&PackageReader>,
        context: &Context,
    ) -> Result<(), Error> {
        let mut notes = Vec::new();
        let (mut from, mut to) = (self.diff.from.clone(), self.diff.to.clone());
        for (side, image, which) in [(&mut from, self.old, "old"), (&mut to, self.new, "new")] {
            match add(side, image, self.platform, registries, reader, context).await {
                Ok(()) => {}
                // Registries remove images that no tag names any more.
                Err(error) if error.exit() == super::super::Exit::NotFound => {
                    notes.push(format!(
                        "the registry no longer has all of the {which} image"
                    ));
                }
                Err(error) => return Err(error),
            }
        }
        **self.diff = ImageDiff::between(from, to);
        self.diff.notes = notes;
        Ok(())
    }
}

async fn add(
    side: &mut Side,
    image: &LockedImage,
    platform: &Platform,
    registries: &Registries<'_>,
    reader: Option<&PackageReader>,
    context: &Context,
) -> Result<(), Error> {
    let Some(locked) = image.platforms().get(platform) else {
        return Ok(());
    };
    let reference = image.reference();
    let registry = registries
        .acquire(image.endpoint(), &reference.repository)
        .await?;
    let config = registry.config(reference, &locked.manifest).await?;
    side.add_config(&locked.manifest, &config);
    if let Some(reader) = reader {
        let documents = Documents {
            manifest: locked.manifest.clone(),
            config,
        };
        let name = side.name.clone();
        let packages = reader.in_registry(&name, &registry, reference, &documents, context);
        side.packages = Some(packages.await?);
    }
    Ok(())
}
