//! `hocker serve`: images on disk as a read-only registry.

use std::pin::pin;

use super::args::ServeArgs;
use super::{Error, stdout};
use crate::serve::{Catalogue, Server};

/// Serves until `interrupted`; that is the ordinary way to end it, so once it serves it is no error.
pub(super) async fn run(
    args: ServeArgs,
    interrupted: impl Future<Output = Error>,
) -> Result<(), Error> {
    let mut interrupted = pin!(interrupted);
    // Blobs that are links may have to be hashed, which takes as long as they are large. A thread that is in
    // the middle of it ends with the process.
    let opening = tokio::task::spawn_blocking(move || Catalogue::open(&args.images));
    let catalogue = tokio::select! {
        biased;
        signal = &mut interrupted => return Err(signal),
        catalogue = opening => catalogue.map_err(Error::Task)??,
    };
    let server = Server::bind(args.listen, catalogue).await?;
    // Standard output says where, for scripts that asked for any free port.
    stdout::write(format!("http://{}\n", server.local_addr()).as_bytes())?;
    server
        .run(async {
            interrupted.await;
        })
        .await;
    Ok(())
}
