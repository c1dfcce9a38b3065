//! `hocker serve`: images on disk as a read-only registry.

use std::pin::pin;
use std::sync::Arc;

use super::access_log::AccessLogWriter;
use super::args::ServeArgs;
use super::{Error, report, stdout};
use hocker::printable::Printable;
use hocker::serve::{Catalogue, Naming, Server};

/// Serves until `interrupted`; that is the ordinary way to end it, so once it serves it is no error. When it is
/// `interrupted_again`, answers that are under way are cut off.
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
    // Blobs that are links may have to be hashed, which takes as long as they are large. A thread that is in
    // the middle of it ends with the process.
    let opening = tokio::task::spawn_blocking(move || Catalogue::open(&args.images, naming));
    let catalogue = tokio::select! {
        biased;
        signal = &mut interrupted => return Err(signal),
        catalogue = opening => catalogue.map_err(Error::Task)??,
    };
    for (name, images) in catalogue.ambiguous() {
        report::note(&Printable::new(&format!(
            "{name} may be {}, and is none of them for who does not say which",
            images.join(" or ")
        )));
    }
    let log = AccessLogWriter::start(quiet);
    let told = log.clone();
    let server = Server::bind(
        args.listen,
        catalogue,
        Arc::new(move |access| told.write(&access)),
    )
    .await?;
    // Standard output says where, for scripts that asked for any free port.
    stdout::write(format!("http://{}\n", server.local_addr()).as_bytes())?;
    let (stopping, stopped) = tokio::sync::oneshot::channel();
    let serving = server.run(async {
        interrupted.await;
        // It is heard for as long as `serving` goes on.
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
