//! Reads or fetches what a comparison needs of an image: manifest and config, and for its packages the layers.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use super::super::lock::Registries;
use super::super::{Context, Error};
use super::error::DiffError;
use super::place::Place;
use hocker::archive::composition::Composition;
use hocker::archive::stored_image::{self, Selection};
use hocker::compression::Limit;
use hocker::diff::Side;
use hocker::diff::packages::{self, LayerFiles, Packages, Scanner};
use hocker::name::{Endpoint, Reference};
use hocker::oci::config::ImageConfig;
use hocker::oci::descriptor::Descriptor;
use hocker::oci::digest::DiffId;
use hocker::oci::document::Document;
use hocker::oci::manifest::Manifest;
use hocker::registry::{BlobRequest, Destination, DownloadError, Registry, Role};
use hocker::verify::Size;

/// An image whose manifest and config are known.
pub(super) struct Opened {
    pub(super) side: Side,
    documents: Documents,
    layers: Layers,
}

/// The documents of an image.
pub(in crate::cli) struct Documents {
    pub(in crate::cli) manifest: Document<Manifest>,
    pub(in crate::cli) config: Document<ImageConfig>,
}

/// The place of the layers.
enum Layers {
    Disk(Box<Composition>),
    Registry(Box<Endpoint>, Box<Reference>),
}

impl Place {
    /// Reads or fetches the manifest and the config.
    pub(super) async fn open(self, registries: Option<&Registries<'_>>) -> Result<Opened, Error> {
        match self {
            Self::Disk {
                name,
                path,
                image,
                platform,
                is_platform_required,
            } => {
                let open = move || {
                    let selection = Selection {
                        name: image.as_deref(),
                        platform: &platform,
                        is_platform_required,
                    };
                    let composition = stored_image::open(&path, &selection)?;
                    let config = composition
                        .image_config()
                        .map_err(stored_image::Error::from)?;
                    let manifest = composition.manifest().clone();
                    let index = composition.index();
                    Ok::<_, Error>(Opened {
                        side: Side::new(name, &platform, index, &manifest, &config),
                        documents: Documents { manifest, config },
                        layers: Layers::Disk(Box::new(composition)),
                    })
                };
                // An archive may have to be unpacked, and signals must be heard meanwhile.
                let opened = tokio::task::spawn_blocking(open).await;
                opened.map_err(Error::Task)?
            }
            Self::Registry {
                name,
                reference,
                endpoint,
                platform,
                is_platform_required,
            } => {
                let registry = acquire(registries, &endpoint, &reference).await?;
                let resolved = if is_platform_required {
                    registry.resolve_for(&reference, &platform).await
                } else {
                    registry.resolve(&reference, &platform).await
                };
                let resolved = resolved.map_err(|error| Error::from(error).of_name(&name))?;
                let manifest = resolved.manifest;
                let config = registry.config(&reference, &manifest).await?;
                let index = resolved.index.as_ref();
                Ok(Opened {
                    side: Side::new(name, &platform, index, &manifest, &config),
                    documents: Documents { manifest, config },
                    layers: Layers::Registry(endpoint, reference),
                })
            }
            Self::Lock {
                name,
                image,
                platform,
                locked,
            } => {
                let (endpoint, reference) = (image.endpoint(), image.reference());
                let registry = acquire(registries, endpoint, reference).await?;
                let config = registry.config(reference, &locked.manifest).await?;
                let mut side = Side::of_locked(name, &platform, &image, &locked);
                side.add_config(&locked.manifest, &config);
                Ok(Opened {
                    side,
                    layers: Layers::Registry(
                        Box::new(endpoint.clone()),
                        Box::new(reference.clone()),
                    ),
                    documents: Documents {
                        manifest: locked.manifest,
                        config,
                    },
                })
            }
        }
    }
}

/// Returns the registry of an image. A command with such images has connected its registries.
async fn acquire(
    registries: Option<&Registries<'_>>,
    endpoint: &Endpoint,
    reference: &Reference,
) -> Result<impl std::ops::Deref<Target = Registry> + use<>, Error> {
    match registries {
        Some(registries) => registries.acquire(endpoint, &reference.repository).await,
        None => Err(Error::RegistryOfPath),
    }
}

impl Opened {
    /// Returns whether the layers are on disk.
    pub(super) fn is_on_disk(&self) -> bool {
        matches!(self.layers, Layers::Disk(_))
    }

    /// Reads the packages from the layers. Layers in a registry are fetched.
    pub(super) async fn add_packages(
        &mut self,
        reader: &PackageReader,
        registries: Option<&Registries<'_>>,
        context: &Context,
    ) -> Result<(), Error> {
        let name = &self.side.name;
        let packages = match &self.layers {
            Layers::Disk(composition) => reader.on_disk(name, composition, &self.documents).await?,
            Layers::Registry(endpoint, reference) => {
                let registry = acquire(registries, endpoint, reference).await?;
                reader
                    .in_registry(name, &registry, reference, &self.documents, context)
                    .await?
            }
        };
        self.side.packages = Some(packages);
        Ok(())
    }
}

/// Reads packages from layers, each layer once.
pub(in crate::cli) struct PackageReader(Arc<Mutex<Scanner>>);

impl PackageReader {
    pub(in crate::cli) fn new(limit: Limit) -> Self {
        Self(Arc::new(Mutex::new(Scanner::new(limit))))
    }

    async fn on_disk(
        &self,
        name: &str,
        composition: &Composition,
        documents: &Documents,
    ) -> Result<Packages, Error> {
        // The config is the first file.
        let files: Vec<_> = composition.files().skip(1).collect();
        let mut layers = Vec::new();
        for ((layer, path), diff_id) in files.into_iter().zip(documents.config.diff_ids()) {
            layers.push(self.scan(name, layer, diff_id, path.to_owned()).await?);
        }
        Ok(Packages::of(&layers))
    }

    /// Fetches the layers of an image one by one. None of them stays on disk.
    pub(in crate::cli) async fn in_registry(
        &self,
        name: &str,
        registry: &Registry,
        reference: &Reference,
        documents: &Documents,
        context: &Context,
    ) -> Result<Packages, Error> {
        let descriptors = documents.manifest.layers.iter();
        let mut layers = Vec::new();
        for (layer, diff_id) in descriptors.zip(documents.config.diff_ids()) {
            if let Some(known) = self.known(layer) {
                layers.push(known);
                continue;
            }
            let file = tempfile::NamedTempFile::new().map_err(DiffError::Temporary)?;
            let blob = BlobRequest {
                repository: reference.repository.clone(),
                role: Role::Layer,
                digest: layer.digest,
                size: Size::Exact(layer.size),
                urls: layer.urls.clone(),
            };
            let progress = context.display.layer(&layer.digest);
            let fetched = registry.fetch_blob(&blob, Destination::File(file.as_file()), &progress);
            fetched.await.map_err(|error| match error {
                DownloadError::Registry(error) => Error::Registry(error),
                DownloadError::Destination(source) => DiffError::Temporary(source).into(),
            })?;
            let path = file.path().to_owned();
            layers.push(self.scan(name, layer, diff_id, path).await?);
        }
        Ok(Packages::of(&layers))
    }

    fn known(&self, layer: &Descriptor) -> Option<Arc<LayerFiles>> {
        self.0.lock().ok()?.known(layer)
    }

    async fn scan(
        &self,
        name: &str,
        layer: &Descriptor,
        diff_id: &DiffId,
        path: PathBuf,
    ) -> Result<Arc<LayerFiles>, Error> {
        let scanner = Arc::clone(&self.0);
        let (layer, diff_id) = (layer.clone(), *diff_id);
        let scan = move || {
            let mut scanner = scanner
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            scanner.read(&layer, &diff_id, &path)
        };
        let outcome = tokio::task::spawn_blocking(scan)
            .await
            .map_err(Error::Task)?;
        let failed = |source: packages::Error| DiffError::Packages {
            what: name.to_owned(),
            source,
        };
        Ok(outcome.map_err(failed)?)
    }
}
