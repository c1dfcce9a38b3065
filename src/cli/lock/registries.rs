//! Whom to ask for the images of a lock, with which credentials, and how many at a time. What the user gave for one
//! registry is shown to no other.

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

/// As many images of one registry at a time.
const AT_ONCE: usize = 4;

/// The registries that a command asks.
pub(super) struct Registries<'a> {
    context: &'a Context,
    client: Client,
    /// What arguments or environment gave, for the only registry that is asked.
    given: Option<Credentials>,
    known: Mutex<Vec<Known>>,
    permits: HashMap<Endpoint, Arc<Semaphore>>,
}

/// A registry that may be asked for one image.
pub(super) struct Turn {
    registry: Arc<Registry>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Deref for Turn {
    type Target = Registry;

    fn deref(&self) -> &Registry {
        &self.registry
    }
}

/// A registry that was asked before.
struct Known {
    registry: Arc<Registry>,
    repository: Repository,
    /// As they were found.
    credentials: Option<Credentials>,
}

impl<'a> Registries<'a> {
    /// For images at these places.
    pub(super) async fn new<'b>(
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
            given = credentials::given(args, endpoint.registry_name(), repository).await?;
        }
        if several && given.is_some() {
            report::note(&Printable::new(
                "the credentials in the environment are for one registry, and several are asked here: none gets \
                 to see them",
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
            known: Mutex::default(),
            permits: permits.collect(),
        })
    }

    /// Waits until the registry at `endpoint` may be asked for one more image.
    pub(super) async fn turn(
        &self,
        endpoint: &Endpoint,
        repository: &Repository,
    ) -> Result<Turn, Error> {
        let permit = match self.permits.get(endpoint) {
            // The semaphore is never closed, so there is always a permit in the end.
            Some(permits) => Arc::clone(permits).acquire_owned().await.ok(),
            None => None,
        };
        Ok(Turn {
            registry: self.registry(endpoint, repository).await?,
            _permit: permit,
        })
    }

    /// The registry for a repository. Images of one repository share tokens; those of others do not wait for them.
    async fn registry(
        &self,
        endpoint: &Endpoint,
        repository: &Repository,
    ) -> Result<Arc<Registry>, Error> {
        let mut known = self.known.lock().await;
        let there = |known: &&Known| known.registry.endpoint() == endpoint;
        let same = known
            .iter()
            .filter(there)
            .find(|known| known.repository == *repository);
        if let Some(same) = same {
            return Ok(Arc::clone(&same.registry));
        }
        let credentials = match &self.given {
            Some(given) => Some(given.clone()),
            None => credentials::kept(endpoint.registry_name(), repository, self.context).await?,
        };
        // An identity token may be replaced whenever it is used, so that it has one user.
        let is_identity = credentials
            .as_ref()
            .is_some_and(|credentials| matches!(credentials.proof, Proof::Identity(_)));
        let same = known
            .iter()
            .filter(there)
            .find(|known| is_identity && known.credentials == credentials);
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
        known.push(Known {
            registry: Arc::clone(&registry),
            repository: repository.clone(),
            credentials,
        });
        Ok(registry)
    }
}
