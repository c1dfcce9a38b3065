//! `hocker diff`: what changed between two images. [`place`] decides what an argument names, [`open`] reads or fetches
//! it, and [`error`] has the errors.

mod error;
pub(super) mod open;
mod place;

pub(super) use self::error::{DiffError, GitMessage};

use self::open::{Opened, PackageReader};
use self::place::Place;
use super::args::{DiffArgs, DiffFormat, ShownArgs};
use super::lock::Registries;
use super::{Context, Error, stdout};
use hocker::diff::{ImageDiff, Options, Side, json, markdown, text};
use hocker::oci::platform::Platform;

pub(super) async fn run(args: DiffArgs, context: &Context) -> Result<(), Error> {
    let platforms = platforms(&args.platform)?;
    let registry = args.registry.as_ref();
    let from = Place::of(&args.from, platforms[0], registry)?;
    let to = Place::of(&args.to, platforms[1], registry)?;
    let places = [&from, &to];
    let in_registries = places.iter().filter_map(|place| place.in_registry());
    let is_remote = in_registries.clone().next().is_some();
    let registries = if is_remote {
        Some(Registries::new(context, args.credentials, in_registries).await?)
    } else {
        None
    };
    let mut from = from.open(registries.as_ref()).await?;
    let mut to = to.open(registries.as_ref()).await?;
    let mut notes = Vec::new();
    let layers_of = |opened: &Opened| args.fetch || opened.is_on_disk();
    if layers_of(&from) && layers_of(&to) {
        let reader = PackageReader::new(args.limit.max_layer_size.unwrap_or_default());
        from.add_packages(&reader, registries.as_ref(), context)
            .await?;
        to.add_packages(&reader, registries.as_ref(), context)
            .await?;
    } else if from.side.manifest != to.side.manifest {
        notes.push("packages are not compared without the layers; --fetch fetches them".to_owned());
    }
    let (from, to): (Side, Side) = (from.side, to.side);
    let mut diff = ImageDiff::between(from, to);
    diff.notes = notes;
    print(&diff, args.shown)
}

/// Returns the platforms of both images, as the user named them.
fn platforms(given: &[Platform]) -> Result<[Option<&Platform>; 2], Error> {
    match given {
        [] => Ok([None, None]),
        [both] => Ok([Some(both), Some(both)]),
        [from, to] => Ok([Some(from), Some(to)]),
        _ => Err(DiffError::Platforms.into()),
    }
}

fn print(diff: &ImageDiff, shown: ShownArgs) -> Result<(), Error> {
    let options = options(shown);
    match shown.format() {
        DiffFormat::Text => stdout::lines(&text::image(diff, options)),
        DiffFormat::Json => stdout::write(json::image(diff, options).as_bytes()),
        DiffFormat::Markdown => stdout::write(markdown::image(diff, options).as_bytes()),
    }
}

/// Returns the choices about what is shown.
pub(super) fn options(shown: ShownArgs) -> Options {
    Options {
        values: shown.values,
    }
}
