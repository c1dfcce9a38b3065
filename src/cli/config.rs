//! `hocker config`: an image's configuration, byte for byte.

use super::args::ConfigArgs;
use super::manifest::write;
use super::source::{Source, platform};
use super::{Context, Error};
use crate::name::Reference;
use crate::oci::config::ImageConfig;
use crate::oci::document::Document;
use crate::oci::manifest::Manifest;
use crate::registry::Registry;

pub(super) async fn run(args: ConfigArgs, context: &Context) -> Result<(), Error> {
    let source = Source::new(args.source)?;
    let registry = source.registry(args.credentials, context).await?;
    let platform = platform(args.platform);
    let resolved = registry.resolve(&source.reference, &platform).await?;
    let config = fetch(&registry, &source.reference, &resolved.manifest).await?;
    write(&args.output, config.bytes())
}

/// Fetches the configuration of the image that a manifest describes, and holds the two against each other.
pub(super) async fn fetch(
    registry: &Registry,
    reference: &Reference,
    manifest: &Document<Manifest>,
) -> Result<Document<ImageConfig>, Error> {
    let unusable = |source| Error::Document {
        what: reference.to_string(),
        source,
    };
    manifest.require_image().map_err(unusable)?;
    let config = registry
        .config(&reference.repository, &manifest.config)
        .await?;
    manifest.check_config(&config).map_err(unusable)?;
    Ok(config)
}
