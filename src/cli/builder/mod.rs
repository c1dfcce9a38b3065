//! `hocker builder`: what Nix starts to build a layer, a configuration or an image.

mod activity;
mod credentials;
mod download;
mod nowhere;

use std::collections::BTreeMap;
use std::path::Path;

pub(super) use self::nowhere::Nowhere;

use super::{Context, Error};
use crate::nix::builder::{Attributes, Job};

pub(super) async fn run(context: &Context) -> Result<(), Error> {
    let environment: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let attributes = Attributes::read(&environment, Path::new("."))?;
    match Job::of(&attributes)? {
        Job::Blob(job) => download::fetch(*job, context)
            .await
            .map_err(|error| Error::Build(Box::new(error))),
        Job::Image(job) => Ok(job.build()?),
    }
}
