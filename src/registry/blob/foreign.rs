//! Layers that registries may not distribute: the manifest says where else they are. The registry is asked first,
//! because it may have them all the same; and no other place hears of its credentials.
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

    /// Reads a URL out of a manifest, and holds it against the same rules as a token service's.
    fn admit(&self, text: &str) -> Result<Url, String> {
        let Ok(url) = text.parse::<Url>() else {
            return Err(format!("{}, which is not a URL", safe_url::shown(text)));
        };
        let refused = |refusal: Refusal| format!("{}, {refusal}", SafeUrl::new(&url));
        admits(&self.endpoint, &url).map_err(refused)?;
        Ok(url)
    }
}
