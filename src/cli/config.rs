//! `hocker config`: the config of an image, byte for byte.

use super::args::ConfigArgs;
use super::manifest::write;
use super::source::{Source, resolve};
use super::{Context, Error};

pub(super) async fn run(args: ConfigArgs, context: &Context) -> Result<(), Error> {
    let source = Source::new(args.source)?;
    let registry = source.registry(args.credentials, context).await?;
    let resolved = resolve(&registry, &source.reference, args.platform).await?;
    let config = registry
        .config(&source.reference, &resolved.manifest)
        .await?;
    write(&args.output, config.bytes())
}
