//! Foreign layers: registries may not distribute them, so the manifest contains URLs for them. hocker tries the
//! registry first, because it may have the layer. The other servers get no credentials.
//!
//! Source: OCI image specification, `descriptor.md` (`urls`) and `layer.md`, section "Non-Distributable Layers".

use url::Url;

use super::{
    BlobRequest, BlobSource, Cause, Destination, DownloadError, Error, Failure, Progress, Registry,
    Scratch, download,
};
use crate::http::{Refusal, admits};
use crate::safe_url::{self, SafeUrl};

impl Registry {
    /// Fetches a blob from the first of its URLs that has it.
    pub(super) async fn fetch_foreign(
        &self,
        blob: &BlobRequest,
        mut destination: Destination<'_>,
        progress: &dyn Progress,
    ) -> Result<(), DownloadError> {
        let scratch = Scratch::of(&destination).map_err(DownloadError::Destination)?;
        let mut refusals = Vec::new();
        let mut failed = None;
        for text in &blob.urls {
            let url = match self.admit(text) {
                Ok(url) => url,
                Err(refusal) => {
                    refusals.push(refusal);
                    continue;
                }
            };
            let host = url.host_str().unwrap_or_default().to_owned();
            let source = BlobSource {
                blob: blob.clone(),
                foreign_url: Some(url),
            };
            match download::run(self, source, scratch.attempt(), progress).await {
                Ok(()) => {
                    return scratch
                        .replay(&mut destination)
                        .map_err(DownloadError::Destination);
                }
                Err(Failure::Cause(cause)) => {
                    failed = Some(Error {
                        registry: host,
                        ..self.blob_failed(blob, cause)
                    });
                    progress.restart();
                    scratch.reset().map_err(DownloadError::Destination)?;
                }
                Err(Failure::Destination(source)) => {
                    return Err(DownloadError::Destination(source));
                }
            }
        }
        let error = failed.unwrap_or_else(|| self.blob_failed(blob, Cause::Foreign(refusals)));
        Err(DownloadError::Registry(Box::new(error)))
    }

    /// Parses a URL from a manifest. It must follow the same rules as the URL of a token service.
    fn admit(&self, text: &str) -> Result<Url, String> {
        let Ok(url) = text.parse::<Url>() else {
            return Err(format!("{}, which is not a URL", safe_url::shown(text)));
        };
        let refused = |refusal: Refusal| format!("{}, {refusal}", SafeUrl::new(&url));
        admits(&self.endpoint, &url).map_err(refused)?;
        Ok(url)
    }
}
