//! `hocker serve`: images on disk as a read-only registry.

use super::args::ServeArgs;
use super::{Error, stdout};
use crate::serve::{Catalogue, Server};

/// Serves until `interrupted`; that is the ordinary way to end it, so it is no error.
pub(super) async fn run(
    args: ServeArgs,
    interrupted: impl Future<Output = Error>,
) -> Result<(), Error> {
    let catalogue = Catalogue::open(&args.images)?;
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
