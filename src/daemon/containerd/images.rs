//! Images: the names of manifests and indexes.
//!
//! Source: containerd 1.6, `api/services/images/v1/images.proto` and `pkg/cri/server/image_pull.go`; containerd 1.7,
//! `pkg/cri/labels/labels.go`, for the labels.

use super::client::{Containerd, if_present};
use super::error::Error;
use super::messages::{
    Descriptor, Empty, FieldMask, Filters, Image, Images, Labels, Named, OneImage, Remove,
    UpdateImage,
};
use crate::http::grpc::Code;
use crate::oci::descriptor;
use crate::oci::digest::Digest;

const SERVICE: &str = "/containerd.services.images.v1.Images";
/// The label of images that Kubernetes' runtime interface knows.
const CRI_LABEL: (&str, &str) = ("io.cri-containerd.image", "managed");
/// The label of images that the kubelet does not remove when disk space is short. containerd 1.7 and later know it.
const PINNED_LABEL: (&str, &str) = ("io.cri-containerd.pinned", "pinned");
/// How often a name is written again that other clients create and remove at the same time.
const ATTEMPTS: usize = 10;

/// Returns the names of a manifest or an index.
pub(super) async fn names_of(daemon: &Containerd, target: &Digest) -> Result<Vec<String>, Error> {
    let request = Filters {
        filters: vec![format!("target.digest=={target}")],
    };
    let method = format!("{SERVICE}/List");
    let Images { images } = daemon.call("list the images", &method, &request).await?;
    Ok(images.into_iter().map(|image| image.name).collect())
}

/// Returns the digest of what a name means, if it exists.
pub(super) async fn target_of(daemon: &Containerd, name: &str) -> Result<Option<String>, Error> {
    let request = Named {
        name: name.to_owned(),
    };
    let what = format!("look for the image {name}");
    let answer = daemon
        .call::<OneImage>(&what, &format!("{SERVICE}/Get"), &request)
        .await;
    let image = if_present(answer)?.and_then(|answer| answer.image);
    Ok(image.map(|image| image.target.unwrap_or_default().digest))
}

/// Gives this name to a manifest or an index. If it means another one, that loses it. With `pinned`, Kubernetes keeps the
/// image until the name is removed.
pub(super) async fn put(
    daemon: &Containerd,
    name: &str,
    target: &descriptor::Descriptor,
    pinned: bool,
) -> Result<(), Error> {
    let what = format!("name the image {} {name}", target.digest);
    let mut labels = Labels::new();
    let mut paths = vec!["target".to_owned()];
    if daemon.namespace().is_of_kubernetes() {
        let pinned = Some(PINNED_LABEL).filter(|_| pinned);
        for (key, value) in [CRI_LABEL].into_iter().chain(pinned) {
            labels.insert(key.to_owned(), value.to_owned());
            paths.push(format!("labels.{key}"));
        }
    }
    let image = Some(Image {
        name: name.to_owned(),
        labels,
        target: Some(Descriptor::of(target)),
    });
    let create = OneImage {
        image: image.clone(),
    };
    let update = UpdateImage {
        image,
        mask: Some(FieldMask { paths }),
    };
    for _ in 1..ATTEMPTS {
        let method = format!("{SERVICE}/Create");
        match daemon.call::<Empty>(&what, &method, &create).await {
            Err(error) if error.code() == Some(Code::AlreadyExists) => {}
            outcome => return outcome.map(drop),
        }
        let method = format!("{SERVICE}/Update");
        match daemon.call::<Empty>(&what, &method, &update).await {
            Err(error) if error.code() == Some(Code::NotFound) => {}
            outcome => return outcome.map(drop),
        }
    }
    let method = format!("{SERVICE}/Update");
    daemon
        .call::<Empty>(&what, &method, &update)
        .await
        .map(drop)
}

/// Removes a name. With `collect`, containerd removes at once what no name keeps.
pub(super) async fn remove(daemon: &Containerd, name: &str, collect: bool) -> Result<(), Error> {
    let request = Remove {
        name: name.to_owned(),
        sync: collect,
    };
    let method = format!("{SERVICE}/Delete");
    let what = format!("remove {name}");
    let removed = daemon.call::<Empty>(&what, &method, &request).await;
    if_present(removed).map(drop)
}
