//! The registries of a lock's images, with their credentials and a limit for requests at a time. Credentials that the
//! user gave for one registry are sent to no other.

use std::collections::{BTreeSet, HashMap};
use std::ops::Deref;
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};

use super::super::args::CredentialArgs;
use super::super::{Context, Error, credentials, report, transport};
use super::error::LockError;
use hocker::auth::{Credentials, Proof};
use hocker::http::Client;
use hocker::name::Repository;
use hocker::name::endpoint::Endpoint;
use hocker::printable::Printable;
use hocker::registry::Registry;

/// The maximum number of images that hocker asks one registry for at a time.
const AT_ONCE: usize = 4;

/// The registries of a command.
pub(in crate::cli) struct Registries<'a> {
    context: &'a Context,
    client: Client,
    /// Credentials from arguments or environment, if the command asks only one registry.
    given: Option<Credentials>,
    connected: Mutex<Vec<ConnectedRegistry>>,
    permits: HashMap<Endpoint, Arc<Semaphore>>,
}

/// A registry that hocker may ask for one image now.
pub(in crate::cli) struct RegistryPermit {
    registry: Arc<Registry>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Deref for RegistryPermit {
    type Target = Registry;

    fn deref(&self) -> &Registry {
        &self.registry
    }
}

/// A registry that is connected for a repository.
struct ConnectedRegistry {
    registry: Arc<Registry>,
    repository: Repository,
    /// The credentials for the repository, before [`credentials::admitted`].
    credentials: Option<Credentials>,
}

impl<'a> Registries<'a> {
    /// Prepares for images in these repositories.
    pub(in crate::cli) async fn new<'b>(
        context: &'a Context,
        args: CredentialArgs,
        places: impl Iterator<Item = (&'b Endpoint, &'b Repository)>,
    ) -> Result<Self, Error> {
        let places: Vec<_> = places.collect();
        let registries: BTreeSet<_> = places.iter().map(|(place, _)| place.base()).collect();
        let several = registries.len() > 1;
        if several && args.is_given() {
            return Err(LockError::CredentialsForSeveral(
                registries.into_iter().map(ToString::to_string).collect(),
            )
            .into());
        }
        let mut given = None;
        if let Some((endpoint, repository)) = places.first() {
            given = credentials::given(
                args,
                endpoint.registry_name(),
                repository,
                &context.environment,
            )
            .await?;
        }
        if several && given.is_some() {
            report::note(&Printable::new(
                "credentials from the environment are not used: they are for one registry, and this command uses several",
            ));
            given = None;
        }
        let permits = places.iter().map(|(endpoint, _)| {
            let permits = Arc::new(Semaphore::new(AT_ONCE));
            ((*endpoint).clone(), permits)
        });
        Ok(Self {
            context,
            client: transport::client(context, false)?,
            given,
            connected: Mutex::default(),
            permits: permits.collect(),
        })
    }

    /// Waits until hocker may ask the registry at `endpoint` for one more image.
    pub(in crate::cli) async fn acquire(
        &self,
        endpoint: &Endpoint,
        repository: &Repository,
    ) -> Result<RegistryPermit, Error> {
        let permit = match self.permits.get(endpoint) {
            // This never fails, because the semaphore is never closed.
            Some(permits) => Arc::clone(permits).acquire_owned().await.ok(),
            None => None,
        };
        Ok(RegistryPermit {
            registry: self.registry(endpoint, repository).await?,
            _permit: permit,
        })
    }

    /// Returns the registry for a repository. Images of one repository share their tokens.
    async fn registry(
        &self,
        endpoint: &Endpoint,
        repository: &Repository,
    ) -> Result<Arc<Registry>, Error> {
        let mut connected = self.connected.lock().await;
        let at_endpoint =
            |connected: &&ConnectedRegistry| connected.registry.endpoint() == endpoint;
        let same = connected
            .iter()
            .filter(at_endpoint)
            .find(|connected| connected.repository == *repository);
        if let Some(same) = same {
            return Ok(Arc::clone(&same.registry));
        }
        let credentials = match &self.given {
            Some(given) => Some(given.clone()),
            None => credentials::kept(endpoint.registry_name(), repository, self.context).await?,
        };
        // A token service may replace an identity token at each use, so only one `Registry` uses it.
        let is_identity = credentials
            .as_ref()
            .is_some_and(|credentials| matches!(credentials.proof, Proof::Identity(_)));
        let same = connected
            .iter()
            .filter(at_endpoint)
            .find(|connected| is_identity && connected.credentials == credentials);
        let registry = if let Some(same) = same {
            Arc::clone(&same.registry)
        } else {
            let (context, client) = (self.context, self.client.clone());
            let (endpoint, given) = (endpoint.clone(), credentials.clone());
            let mirrors = Vec::new();
            Arc::new(
                transport::registry(context, client, endpoint, repository, given, mirrors).await?,
            )
        };
        connected.push(ConnectedRegistry {
            registry: Arc::clone(&registry),
            repository: repository.clone(),
            credentials,
        });
        Ok(registry)
    }
}
