//! A registry for one image that only one client finds: it listens on loopback while a daemon fetches the image. The
//! path of the repository is a secret, and every other path answers 404, whether it is well-formed or not.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::catalogue::Catalogue;
use super::server::{Server, ServerError};
use super::supervision::Supervision;

/// A running registry. Its drop ends it, and cuts off the responses that are under way.
#[derive(Debug)]
pub struct Temporary {
    address: SocketAddr,
    serving: JoinHandle<()>,
    // The server ends when this is dropped.
    _stop: oneshot::Sender<()>,
}

impl Temporary {
    /// Serves an image under this repository, on a port of 127.0.0.1 that the kernel chooses.
    pub async fn start(
        catalogue: Catalogue,
        supervision: Option<Supervision>,
    ) -> Result<Self, ServerError> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut server = Server::bind(address, catalogue, Arc::new(|_| ())).await?;
        if let Some(supervision) = supervision {
            server.supervise(supervision);
        }
        let (stop, stopped) = oneshot::channel();
        Ok(Self {
            address: server.local_addr(),
            serving: tokio::spawn(server.run(async {
                let _ = stopped.await;
            })),
            _stop: stop,
        })
    }

    /// Returns the port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{LAYER, LayoutFixture, ask, digest_of};
    use super::*;
    use crate::archive::oci_layout::blob_name;
    use crate::oci::digest::Digest;
    use crate::oci::document::Document;
    use crate::oci::manifest::Manifest;
    use hyper::StatusCode;

    const SECRET: &str = "hocker-load/0123456789abcdef0123456789abcdef";

    fn catalogue(layout: &LayoutFixture) -> (Catalogue, Digest) {
        let digest = digest_of(&layout.image(LAYER));
        let path = layout.path().canonicalize().unwrap();
        let text = std::fs::read(path.join(blob_name(&digest))).unwrap();
        let manifest: Document<Manifest> = Document::parse(text, None).unwrap();
        let files: Vec<_> = std::iter::once(&manifest.config)
            .chain(&manifest.layers)
            .map(|blob| (blob.clone(), path.join(blob_name(&blob.digest))))
            .collect();
        let files = files.iter().map(|(blob, path)| (blob, path.as_path()));
        let catalogue =
            Catalogue::of_image(&SECRET.parse().unwrap(), &manifest, None, files).unwrap();
        (catalogue, digest)
    }

    #[test]
    fn only_the_secret_path_finds_the_image() {
        let layout = LayoutFixture::new();
        let (catalogue, digest) = catalogue(&layout);
        let layer = Digest::of(LAYER);
        for path in [
            "/v2/".to_owned(),
            "/v2".to_owned(),
            format!("/v2/{SECRET}/manifests/{digest}"),
            format!("/v2/{SECRET}/blobs/{layer}"),
        ] {
            let answer = ask(&catalogue, "GET", &path, &[]);
            assert_eq!(answer.status, StatusCode::OK, "{path}");
        }
        let guess = SECRET.replace('f', "e");
        for path in [
            "/v2/_catalog".to_owned(),
            "/".to_owned(),
            "/v2/hocker-load/tags/list".to_owned(),
            format!("/v2/{guess}/manifests/{digest}"),
            format!("/v2/{guess}/manifests/.."),
            format!("/v2/{guess}/blobs/{layer}"),
            format!("/v2/{guess}/blobs/sha256:00"),
            format!("/v2/{guess}/tags/list"),
            format!("/v2/{}/blobs/{layer}", SECRET.to_uppercase()),
            format!("/v2/{SECRET}/x/blobs/{layer}"),
            format!("/v2/{SECRET}/manifests/latest"),
            format!("/v2/blobs/{layer}"),
        ] {
            let answer = ask(&catalogue, "GET", &path, &[]);
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        }
    }
}
