//! The client of the Docker Engine API: what the daemon is, which images it has, and the requests that change it.

mod answers;
mod pull;
mod send;

use std::collections::HashSet;

use serde::de::DeserializeOwned;

use self::answers::{
    ApiVersion, Container, Failure, Info, Inspected, Listed, NEWEST_API, OLDEST_API, Version,
    reads_zstd,
};
use super::address::{Address, Endpoint};
use super::tag::TagName;
use super::temporary_name::TemporaryName;
use super::{DaemonMessage, DigestName, Error, LayerForm, Store, peer};
use crate::http::BufferedResponse;
use crate::http::direct::{Direct, Verb};
use crate::http::{self, Roots, RootsError, Settings, StatusCode};
use crate::oci::digest::{DiffId, Digest};
use crate::oci::platform::Platform;
use crate::printable::Printable;

/// The size limit in bytes for answers about one object.
const SMALL: usize = 4 << 20;
/// The size limit in bytes for lists.
const LARGE: usize = 64 << 20;
/// The size limit in bytes for the messages during a load.
const EVENTS: usize = 1 << 20;
/// The number of bytes that are read of an error page.
const MESSAGE: usize = 2 << 10;
/// The name that Docker lists for an image without a name.
const NO_NAME: &str = "<none>:<none>";

/// An image in a daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DaemonImage {
    /// The image ID.
    pub id: Digest,
    /// The valid names.
    pub tags: HashSet<TagName>,
    /// The names with a digest.
    pub digest_names: HashSet<DigestName>,
    /// Whether the image also has names that hocker cannot parse.
    pub has_invalid_names: bool,
    /// The diff IDs of the layers, lowest first.
    pub layers: Vec<DiffId>,
    /// Whether the image was also pulled or pushed. Only Docker's own store reports that.
    pub in_registry: bool,
}

/// The result of a removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// The object is removed.
    Done,
    /// The object did not exist.
    Absent,
    /// Something depends on the object, so it stays.
    InUse,
}

/// A client for a daemon that has answered.
#[derive(Clone, Debug)]
pub struct Daemon {
    client: Direct,
    address: Address,
    version: ApiVersion,
    store: Store,
    is_here: bool,
    platform: Platform,
}

impl Daemon {
    /// Connects, and determines the version, the image store and the platform of the daemon. `roots` provides the
    /// default certificate authorities, used if the endpoint names none.
    pub async fn connect(
        endpoint: Endpoint,
        roots: impl FnOnce() -> Result<Roots, RootsError>,
        settings: Settings,
    ) -> Result<Self, Error> {
        let address = endpoint.address.clone();
        let client = endpoint
            .client(roots, settings)
            .map_err(|source| Error::Endpoint {
                address: address.clone(),
                source,
            })?;
        let mut daemon = Self {
            client,
            address,
            version: NEWEST_API,
            store: Store::Podman,
            is_here: false,
            platform: Platform::of_this_machine(),
        };
        let ping = daemon.ask("connect", Verb::Get, "/_ping", SMALL).await?;
        let ping = daemon.require_success("connect", ping)?;
        let offered = ping.header("Api-Version");
        daemon.version = match offered.and_then(ApiVersion::parse) {
            Some(version) if version >= OLDEST_API => version.min(NEWEST_API),
            _ => {
                return Err(Error::TooOld {
                    address: daemon.address,
                    version: offered.map(|text| Printable::at_most(20, text)),
                });
            }
        };
        let libpod = ping.header("Libpod-Api-Version");
        let is_podman = libpod.is_some();
        let pulls = libpod.is_some_and(has_api_of_pulls);
        if pulls
            && let Address::Socket(socket) = &daemon.address
            && peer::is_podman(socket).await
        {
            daemon.is_here = true;
            return Ok(daemon);
        }
        // Podman needs much longer for the answers that Docker's clients ask for.
        if is_podman && let Some(host) = daemon.podman_host().await? {
            daemon.is_here = daemon.address.is_local() && host.is_machine(&machine_name());
            daemon.platform = host.platform();
            return Ok(daemon);
        }
        let what = "read the version of the daemon";
        let version: Version = daemon.read(what, "/version", SMALL).await?;
        daemon.platform = Platform {
            os: version.os,
            architecture: version.arch,
            ..Platform::default()
        }
        .normalised();
        if !is_podman {
            let info: Info = daemon.read(what, "/info", SMALL).await?;
            daemon.store = if info.uses_containerd() {
                Store::Containerd
            } else {
                Store::Docker {
                    reads_zstd: reads_zstd(&version.engine),
                }
            };
            daemon.is_here = daemon.address.is_local() && info.is_of_machine(&machine_name());
        }
        Ok(daemon)
    }

    /// Returns the image store.
    #[must_use]
    pub fn store(&self) -> Store {
        self.store
    }

    /// Returns the form in which the daemon gets layers.
    #[must_use]
    pub fn form(&self) -> LayerForm {
        LayerForm::of(self.store, self.is_here)
    }

    /// Returns the platform of the daemon.
    #[must_use]
    pub fn platform(&self) -> &Platform {
        &self.platform
    }

    /// Returns the image with this ID, if the daemon has it. An image whose *name* looks like this ID does not count.
    pub async fn image(&self, id: &Digest) -> Result<Option<DaemonImage>, Error> {
        let what = format!("look for the image {id}");
        let answer = self.inspect(&what, &id.to_string()).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let answer = self.require_success(&what, answer)?;
        let mut found: Inspected = self.parse(&what, &answer.body)?;
        if found.id != *id && self.store == Store::Podman {
            // The name may hide the image with this ID. Podman has no specific status for an image that does not exist.
            let answer = self.inspect(&what, &self.unmistakable(id)).await?;
            if answer.status.is_success() {
                found = self.parse(&what, &answer.body)?;
            }
        }
        Ok((found.id == *id).then(|| self.read_image(found)))
    }

    /// Returns the image with this ID, as [`image`](Self::image) does, or `None` if the daemon lacks a part of it. A fetch
    /// that is interrupted may leave such an image in Podman's storage. The next fetch completes it.
    pub async fn whole_image(&self, id: &Digest) -> Result<Option<DaemonImage>, Error> {
        match self.image(id).await {
            Err(error) if error.is_damaged() => Ok(None),
            image => image,
        }
    }

    fn read_image(&self, found: Inspected) -> DaemonImage {
        let mut tags = HashSet::new();
        let mut has_invalid_names = false;
        for name in found.repo_tags.iter().flatten() {
            match name.parse() {
                Ok(name) => drop(tags.insert(name)),
                Err(_) => has_invalid_names |= name != NO_NAME && !is_temporary(name),
            }
        }
        let digests = found.repo_digests.iter().flatten();
        let digest_names = digests.filter_map(|name| name.parse().ok()).collect();
        DaemonImage {
            id: found.id,
            tags,
            digest_names,
            has_invalid_names,
            layers: found.root_fs.layers.unwrap_or_default(),
            // The other stores add digests to loaded images, too.
            in_registry: matches!(self.store, Store::Docker { .. })
                && found.repo_digests.iter().flatten().count() > 0,
        }
    }

    async fn inspect(&self, what: &str, object: &str) -> Result<BufferedResponse, Error> {
        let path = self.path(&format!("/images/{object}/json"));
        self.ask(what, Verb::Get, &path, SMALL).await
    }

    /// Returns the IDs of all images, without intermediate images.
    pub async fn images(&self) -> Result<Vec<Digest>, Error> {
        let images: Vec<Listed> = self.read("list the images", "/images/json", LARGE).await?;
        Ok(images.into_iter().map(|image| image.id).collect())
    }

    /// Returns the IDs of the images of all containers, running or not.
    pub async fn images_in_use(&self) -> Result<HashSet<Digest>, Error> {
        let containers: Vec<Container> = self
            .read("list the containers", "/containers/json?all=1", LARGE)
            .await?;
        Ok(containers
            .iter()
            .filter_map(|container| Digest::parse_lenient(&container.image_id).ok())
            .collect())
    }

    /// Returns an image ID in a form that the daemon does not interpret as a name. If Podman has no image with this ID,
    /// it takes `sha256:<hex>` as a name. It never takes 64 hexadecimal digits as a name (distribution/reference,
    /// `ParseNormalizedNamed`; seen with podman 4.3).
    fn unmistakable(&self, id: &Digest) -> String {
        match self.store {
            Store::Podman => id.hex(),
            Store::Docker { .. } | Store::Containerd => id.to_string(),
        }
    }

    /// Adds a name to an image. If another image has the name, it loses it.
    pub async fn tag(&self, id: &Digest, name: &TagName) -> Result<(), Error> {
        let what = format!("name the image {id} {name}");
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("repo", &name.full_name())
            .append_pair("tag", name.tag())
            .finish();
        let path = self.path(&format!("/images/{}/tag?{query}", self.unmistakable(id)));
        let answer = self.ask(&what, Verb::Post, &path, SMALL).await?;
        self.require_success(&what, answer).map(drop)
    }

    /// Removes a name. The daemon removes an image with its last name.
    pub async fn untag(&self, name: &TagName) -> Result<Removal, Error> {
        // The characters of a name have no special meaning in a path.
        self.remove(&format!("{}:{}", name.full_name(), name.tag()))
            .await
    }

    /// Removes an image that has no name, or only one.
    pub async fn remove_image(&self, id: &Digest) -> Result<Removal, Error> {
        self.remove(&self.unmistakable(id)).await
    }

    async fn remove(&self, object: &str) -> Result<Removal, Error> {
        let what = format!("remove {object}");
        let path = self.path(&format!("/images/{object}"));
        let answer = self.ask(&what, Verb::Delete, &path, LARGE).await?;
        match answer.status {
            StatusCode::NOT_FOUND => Ok(Removal::Absent),
            StatusCode::CONFLICT => Ok(Removal::InUse),
            _ => self.require_success(&what, answer).map(|_| Removal::Done),
        }
    }

    fn path(&self, path: &str) -> String {
        format!("/v{}.{}{path}", self.version.0, self.version.1)
    }

    async fn read<T: DeserializeOwned>(
        &self,
        what: &str,
        path: &str,
        limit: usize,
    ) -> Result<T, Error> {
        let answer = self.ask(what, Verb::Get, &self.path(path), limit).await?;
        let answer = self.require_success(what, answer)?;
        self.parse(what, &answer.body)
    }

    async fn ask(
        &self,
        what: &str,
        verb: Verb,
        path: &str,
        limit: usize,
    ) -> Result<BufferedResponse, Error> {
        self.client
            .ask(verb, path, limit)
            .await
            .map_err(|source| self.http(what, source))
    }

    fn require_success(
        &self,
        what: &str,
        answer: BufferedResponse,
    ) -> Result<BufferedResponse, Error> {
        if answer.status.is_success() {
            Ok(answer)
        } else {
            Err(self.status(what, answer.status, &answer.body))
        }
    }

    fn parse<T: DeserializeOwned>(&self, what: &str, body: &[u8]) -> Result<T, Error> {
        serde_json::from_slice(body).map_err(|source| self.invalid_answer(what, source))
    }

    fn http(&self, what: &str, source: http::Error) -> Error {
        Error::Http {
            what: what.to_owned(),
            address: self.address.clone(),
            source,
        }
    }

    fn status(&self, what: &str, status: StatusCode, body: &[u8]) -> Error {
        let message = match serde_json::from_slice::<Failure>(body) {
            Ok(Failure { message }) => DaemonMessage::new(&message),
            Err(_) => DaemonMessage::new(&String::from_utf8_lossy(body)),
        };
        Error::Status {
            what: what.to_owned(),
            address: self.address.clone(),
            status,
            message,
        }
    }

    fn invalid_answer(&self, what: &str, source: serde_json::Error) -> Error {
        Error::InvalidAnswer {
            what: what.to_owned(),
            address: self.address.clone(),
            source: source.into(),
        }
    }
}

/// Returns whether this version of podman offers the API by which it fetches images.
fn has_api_of_pulls(version: &str) -> bool {
    let major = version.split('.').next().unwrap_or_default();
    major.parse::<u32>().is_ok_and(|major| major >= 4)
}

/// Whether a load made this name. That load or the next one removes it.
fn is_temporary(name: &str) -> bool {
    name.parse::<TemporaryName>().is_ok()
}

/// Returns the name of this machine.
fn machine_name() -> String {
    let uname = rustix::system::uname();
    uname.nodename().to_string_lossy().into_owned()
}
