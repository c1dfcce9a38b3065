//! Work on many images at a time, within the limits for each registry.

use super::super::args::CredentialArgs;
use super::super::{Context, Error};
use super::registries::Registries;
use hocker::lock::{LockedImage, Name};
use hocker::name::Reference;
use hocker::pin::Terms;
use hocker::registry::Registry;

/// Runs `work` for each of these locked images, on its terms, and returns the results in the same order.
pub(super) async fn of_locked<'a, T>(
    images: Vec<(&'a Name, &'a LockedImage)>,
    terms: impl Fn(&Name, &LockedImage) -> Terms,
    credentials: CredentialArgs,
    context: &Context,
    work: impl AsyncFn(&LockedImage, &Registry, &Terms) -> Result<T, Error>,
) -> Result<Vec<(&'a Name, &'a LockedImage, Result<T, Error>)>, Error> {
    let terms: Vec<_> = images
        .iter()
        .map(|(name, image)| terms(name, image))
        .collect();
    let places = images
        .iter()
        .map(|(_, image)| (image.endpoint(), &image.reference().repository));
    let registries = Registries::new(context, credentials, places).await?;
    let results = all(
        context,
        images.iter().zip(&terms).map(|((_, image), terms)| async {
            let repository = &image.reference().repository;
            let registry = registries.acquire(image.endpoint(), repository).await?;
            work(image, &registry, terms).await
        }),
    )
    .await;
    let results = images.into_iter().zip(results);
    Ok(results
        .map(|((name, image), result)| (name, image, result))
        .collect())
}

/// Runs all futures at once and shows their progress. Returns the results in the same order.
pub(super) async fn all<T, F: Future<Output = T>>(
    context: &Context,
    work: impl IntoIterator<Item = F>,
) -> Vec<T> {
    let work: Vec<_> = work.into_iter().collect();
    let progress = context.display.images(work.len());
    let progress = &progress;
    let counted = work.into_iter().map(|one| async move {
        let done = one.await;
        progress.done();
        done
    });
    futures_util::future::join_all(counted).await
}

/// Returns the failure of an image, with the operation and the image's name.
pub(super) fn failure(
    operation: &'static str,
    name: Name,
    reference: &Reference,
    error: Error,
) -> (Name, Error) {
    let error = Error::LockedImage {
        operation,
        what: format!("{name} ({reference})"),
        source: Box::new(error),
    };
    (name, error)
}
