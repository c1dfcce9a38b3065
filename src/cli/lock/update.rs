//! `hocker lock update`: follows tags that have moved.

use std::path::Path;

use super::super::args::lock::UpdateArgs;
use super::super::{Context, Error};
use super::add::{chosen, failure};
use super::file::{Edits, LockFile};
use super::look;
use super::registries::Registries;
use super::tell;

pub(super) async fn run(args: UpdateArgs, path: &Path, context: &Context) -> Result<(), Error> {
    let file = LockFile::read(path)?;
    let images = chosen(&file.lock, &args.names, path)?;
    let places = images
        .iter()
        .map(|(_, image)| (image.endpoint(), &image.reference().repository));
    let registries = Registries::new(context, args.credentials, places).await?;
    let looks = images
        .iter()
        .map(|(_, image)| look::look_again(image, &registries));
    let found = look::for_all(context, looks).await;
    let mut edits = Edits::new();
    let mut failures = Vec::new();
    for ((name, image), found) in images.into_iter().zip(found) {
        match found {
            Ok(None) => {}
            Ok(moved) => {
                edits.insert(name.clone(), moved);
            }
            Err(error) => failures.push(failure("update", name.clone(), image.reference(), error)),
        }
    }
    let new = file.write(&edits)?;
    tell::tell(args.tell, &file.lock, &new, failures)
}
