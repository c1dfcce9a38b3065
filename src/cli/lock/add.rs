//! `hocker lock add`: add images, or further platforms of locked images.

use std::path::Path;

use super::super::args::lock::AddArgs;
use super::super::{Context, Error};
use super::addition::{Addition, Additions};
use super::error::LockError;
use super::file::LockFile;
use super::pinning;
use super::signing::Signing;

pub(super) async fn run(args: AddArgs, path: &Path, context: &Context) -> Result<(), Error> {
    let signing = Signing::of(path);
    let signer = signing.change(&args.signer)?;
    let file = LockFile::read_or_begin(path)?;
    let mut additions = Additions::to(&file.lock, args.force);
    for text in &args.images {
        let (name, image) = match text.split_once('=') {
            Some((name, image)) => (Some(name.parse().map_err(LockError::Name)?), image),
            None => (None, text.as_str()),
        };
        let mut addition = Addition::parse(image, args.registry.as_ref(), args.follow.as_ref())?;
        addition.following.min_age = args.min_age;
        additions.push(name, addition)?;
    }
    let additions = additions.list.into_iter().collect();
    let platforms = &args.platforms.platform;
    pinning::lock(
        file,
        additions,
        platforms,
        (signing, signer),
        args.changes,
        args.credentials,
        context,
    )
    .await
}
