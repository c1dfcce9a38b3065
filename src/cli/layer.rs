//! `hocker layer`: one layer as the registry has it. No manifest is asked for: the digest says it all.

use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;

use super::args::LayerArgs;
use super::manifest::existing;
use super::source::Source;
use super::{Error, progress, stdout};
use crate::output::{self, OutputFile};
use crate::registry::Role;

pub(super) async fn run(args: LayerArgs) -> Result<(), Error> {
    let source = Source::new(args.source)?;
    let registry = source.registry(args.credentials).await?;
    let path = &args.output.out;
    let mut file = if path.as_os_str() == "-" {
        None
    } else {
        Some(OutputFile::create(path, existing(args.output.force))?)
    };
    let repository = &source.reference.repository;
    let mut blob = registry
        .blob(repository, Role::Layer, args.layer, None)
        .await?;
    while let Some(chunk) = blob.chunk().await? {
        match &mut file {
            Some(file) => file
                .write_all(&chunk)
                .map_err(|source| output::Error::write(path, source))?,
            None => stdout::write(&chunk)?,
        }
    }
    let Some(file) = file else { return Ok(()) };
    file.commit()?;
    progress::wrote(&args.layer);
    // The classic program printed where it wrote to.
    stdout::write(&[path.as_os_str().as_bytes(), b"\n"].concat())
}
