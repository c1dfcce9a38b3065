//! `hocker layer`: one layer, unchanged. The digest identifies the layer, so the command fetches no manifest.

use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;

use super::args::LayerArgs;
use super::manifest::existing;
use super::source::Source;
use super::{Context, Error, stdout};
use hocker::oci::descriptor::MAX_UNDESCRIBED_SIZE;
use hocker::output::OutputFile;
use hocker::pull::LayerProgress;
use hocker::registry::{BlobRequest, Destination, DownloadError, Progress, Registry, Role};
use hocker::verify::Size;

pub(super) async fn run(args: LayerArgs, context: &Context) -> Result<(), Error> {
    let source = Source::new(args.source)?;
    let registry = source.registry(args.credentials, context).await?;
    let path = &args.output.out;
    let file = if path.as_os_str() == "-" {
        None
    } else {
        Some(OutputFile::create(path, existing(args.output.force))?)
    };
    let blob = BlobRequest {
        repository: source.reference.repository.clone(),
        role: Role::Layer,
        digest: args.layer,
        size: args
            .size
            .map_or(Size::AtMost(MAX_UNDESCRIBED_SIZE), Size::Exact),
        urls: Vec::new(),
    };
    let Some(file) = file else {
        let progress = context.display.layer(&args.layer);
        return fetch_to_stdout(&registry, &blob, &progress).await;
    };
    let progress = context.display.layer(&args.layer);
    let is_named = file.is_seekable();
    let fetched = registry.fetch_to(&blob, &file, &progress).await;
    fetched.map_err(|error| Error::of_download(error, path))?;
    file.commit()?;
    LayerProgress::wrote(&progress);
    // `--out` may name a pipe, like /dev/stdout, which gets only the data.
    if !is_named {
        return Ok(());
    }
    // The classic program prints the path of its output.
    stdout::write(&[path.as_os_str().as_bytes(), b"\n"].concat())
}

/// Fetches the blob in order, over one connection: standard output cannot seek.
async fn fetch_to_stdout(
    registry: &Registry,
    blob: &BlobRequest,
    progress: &dyn Progress,
) -> Result<(), Error> {
    let mut stdout = io::stdout();
    let destination = Destination::InOrder {
        take: &mut |chunk| stdout.write_all(chunk),
        spool: None,
    };
    registry
        .fetch_blob(blob, destination, progress)
        .await
        .map_err(|error| match error {
            DownloadError::Registry(error) => Error::Registry(error),
            DownloadError::Destination(source) => Error::Stdout(source),
        })?;
    stdout.flush().map_err(Error::Stdout)
}
