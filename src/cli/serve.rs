//! `hocker serve`: images on disk as a read-only registry.

use std::pin::pin;
use std::sync::Arc;

use super::access_log::AccessLogWriter;
use super::args::ServeArgs;
use super::{Error, report, stdout};
use hocker::causes;
use hocker::printable::Printable;
use hocker::serve::{Catalogue, Naming, Server};

/// Serves until a first signal (`interrupted`). This is the ordinary end of a server, so it is no error. The server then
/// finishes the responses that it has begun; a second signal (`interrupted_again`) cuts them off.
pub(super) async fn run<Again: Future>(
    args: ServeArgs,
    quiet: bool,
    interrupted: impl Future<Output = Error>,
    interrupted_again: impl FnOnce() -> Again,
) -> Result<(), Error> {
    let mut interrupted = pin!(interrupted);
    let naming = if args.full_names {
        Naming::Full
    } else {
        Naming::Short
    };
    // Opening may hash blobs that are links, which takes long for large blobs. If a signal arrives meanwhile, the thread
    // ends with the process.
    let opening = tokio::task::spawn_blocking(move || Catalogue::open(&args.images, naming));
    let catalogue = tokio::select! {
        biased;
        signal = &mut interrupted => return Err(signal),
        catalogue = opening => catalogue.map_err(Error::Task)??,
    };
    for (path, error) in catalogue.unusable() {
        report::note(&Printable::new(&format!(
            "not serving {}: {}",
            path.display(),
            causes::line(error)
        )));
    }
    for (name, images) in catalogue.ambiguous() {
        let images = images.join(", ");
        // Images with one full name are told apart by their digests.
        let who = if images.contains('@') {
            "clients must name the digest to get one of"
        } else {
            "clients that do not name the registry get none of"
        };
        report::note(&Printable::new(&format!(
            "{name} is ambiguous: {who} {images}"
        )));
    }
    let log = AccessLogWriter::start(quiet);
    let writer = log.clone();
    let server = Server::bind(
        args.listen,
        catalogue,
        Arc::new(move |access| writer.write(&access)),
    )
    .await?;
    // Scripts that ask for a free port read the address from standard output.
    stdout::write(format!("http://{}\n", server.local_addr()).as_bytes())?;
    let (stopping, stopped) = tokio::sync::oneshot::channel();
    let serving = server.run(async {
        interrupted.await;
        // The receiver lives as long as `serving` runs.
        let _ = stopping.send(interrupted_again());
    });
    let again = async {
        match stopped.await {
            Ok(again) => _ = again.await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = serving => {}
        () = again => {}
    }
    log.finish().await;
    Ok(())
}
