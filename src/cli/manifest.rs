//! `hocker manifest`: the manifest or index of an image, byte for byte.

use super::args::{ManifestArgs, OptionalOutputArgs};
use super::source::{Source, resolve};
use super::{Context, Error, classic, stdout};
use hocker::output::{Existing, OutputFile};

pub(super) async fn run(args: ManifestArgs, context: &Context) -> Result<(), Error> {
    let source = Source::new(args.source)?;
    let registry = source.registry(args.credentials, context).await?;
    if args.index {
        let index = registry.index(&source.reference).await?;
        write(&args.output, index.bytes())
    } else {
        let resolved = resolve(&registry, &source.reference, args.platform).await?;
        write(&args.output, resolved.manifest.bytes())
    }
}

/// Writes a document to the file that `--out` names, else to standard output.
pub(super) fn write(args: &OptionalOutputArgs, bytes: &[u8]) -> Result<(), Error> {
    use std::io::Write as _;
    let Some(path) = args.out.as_deref().filter(|path| path.as_os_str() != "-") else {
        return stdout::write_document(bytes);
    };
    let mut file = OutputFile::create(path, existing(args.force))?;
    file.write_all(bytes)
        .map_err(|source| hocker::output::Error::write(path, source))?;
    Ok(file.commit()?)
}

/// Whether to replace a file that exists. `--force` does so, and so do the classic programs.
pub(super) fn existing(force: bool) -> Existing {
    if force || classic::is_classic() {
        Existing::Replace
    } else {
        Existing::Refuse
    }
}
