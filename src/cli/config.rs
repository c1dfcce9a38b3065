//! `hocker config`: the config of an image, byte for byte.

use super::args::ConfigArgs;
use super::manifest::write;
use super::source::{Source, platform};
use super::{Context, Error};

pub(super) async fn run(args: ConfigArgs, context: &Context) -> Result<(), Error> {
    let source = Source::new(args.source)?;
    let registry = source.registry(args.credentials, context).await?;
    let platform = platform(args.platform);
    let resolved = registry.resolve(&source.reference, &platform).await?;
    let config = registry
        .config(&source.reference, &resolved.manifest)
        .await?;
    write(&args.output, config.bytes())
}
