//! Requests with a body of any length: archives of images, and single layers. There is no time limit while the daemon
//! reads or unpacks.

use std::io;

use bytes::Bytes;
use futures_util::Stream;

use super::{Daemon, EVENTS, Error, MESSAGE};
use crate::daemon::events;
use crate::daemon::temporary_name::TemporaryName;

impl Daemon {
    /// Sends an archive, and waits until the daemon has loaded it.
    pub async fn load(
        &self,
        archive: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    ) -> Result<(), Error> {
        self.send("load the image", "/images/load?quiet=1", archive)
            .await
    }

    /// Sends a decompressed layer, and waits until the daemon has made an image of it under this name. Docker's own store
    /// unpacks the layer while it arrives.
    pub(in crate::daemon) async fn import(
        &self,
        name: &TemporaryName,
        layer: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    ) -> Result<(), Error> {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("fromSrc", "-")
            .append_pair("repo", &name.repository())
            .append_pair("tag", &name.reference())
            .finish();
        self.send("import a layer", &format!("/images/create?{query}"), layer)
            .await
    }

    async fn send(
        &self,
        what: &str,
        path: &str,
        content: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    ) -> Result<(), Error> {
        let mut response = self
            .client
            .upload(&self.path(path), "application/x-tar", content)
            .await
            .map_err(|source| self.http(what, source))?;
        let status = response.status();
        if !status.is_success() {
            // Only the end of the work may take any time. The body of an error has a time limit.
            let body = response.start_of_body(MESSAGE);
            let body = tokio::time::timeout(self.client.stall_timeout(), body).await;
            return Err(self.status(what, status, &body.unwrap_or_default()));
        }
        let mut body = Vec::new();
        let broken = loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() <= EVENTS => {
                    body.extend_from_slice(&chunk);
                }
                Ok(Some(_)) => break Some(response.too_large(EVENTS)),
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        // An error of the daemon is more important than a failure of the connection.
        match (events::error(&body), broken) {
            (Ok(Some(message)), _) => Err(Error::Load { message }),
            (_, Some(broken)) => Err(self.http(what, broken)),
            (Ok(None), None) => Ok(()),
            (Err(source), None) => Err(self.invalid_answer(what, source)),
        }
    }
}
