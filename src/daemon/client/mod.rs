//! A daemon that answers: what it is, what images it has, and the few things that it is asked to do.

mod answers;

use std::collections::HashSet;
use std::io;

use bytes::Bytes;
use futures_util::Stream;
use serde::de::DeserializeOwned;

use self::answers::{
    ApiVersion, Container, Failure, Info, Inspected, Listed, NEWEST_API, OLDEST_API, Version,
    reads_zstd,
};
use super::address::{Address, Endpoint};
use super::tag::TagName;
use super::{Error, Form, Message, Store, events};
use crate::http::BufferedResponse;
use crate::http::direct::{Direct, Verb};
use crate::http::{self, Roots, RootsError, Settings, StatusCode};
use crate::oci::digest::{DiffId, Digest};
use crate::oci::platform::Platform;
use crate::printable::Printable;

/// Answers about one thing have at most so many bytes.
const SMALL: usize = 4 << 20;
/// Lists may be longer.
const LARGE: usize = 64 << 20;
/// What is said while an image is loaded.
const EVENTS: usize = 1 << 20;
/// What is kept of an error page.
const MESSAGE: usize = 2 << 10;
/// What stands for the name of an image that has none.
const NO_NAME: &str = "<none>:<none>";

/// An image that a daemon has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its id.
    pub id: Digest,
    /// Its names.
    pub tags: HashSet<TagName>,
    /// Whether it has names too that no image gets from here.
    pub has_strange_names: bool,
    /// Its uncompressed layers, lowest first.
    pub layers: Vec<DiffId>,
    /// Whether it was pulled or pushed too. Only Docker's own store tells.
    pub in_registry: bool,
}

/// What became of something that was to be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// It is gone.
    Done,
    /// It was not there.
    Absent,
    /// Something depends on it.
    InUse,
}

/// A daemon that has answered.
#[derive(Clone, Debug)]
pub struct Daemon {
    client: Direct,
    address: Address,
    version: ApiVersion,
    kind: Store,
    is_here: bool,
    platform: Platform,
}

impl Daemon {
    /// Connects, and finds out what answers. `roots` vouch for a daemon behind TLS that has no authority of its
    /// own.
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
            kind: Store::Podman,
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
        let what = "ask the daemon what it is";
        let version: Version = daemon.read(what, "/version", SMALL).await?;
        daemon.platform = Platform {
            os: version.os,
            architecture: version.arch,
            ..Platform::default()
        }
        .normalised();
        // Podman takes a second over what Docker must be asked.
        if ping.header("Libpod-Api-Version").is_none() {
            let info: Info = daemon.read(what, "/info", SMALL).await?;
            daemon.kind = if info.uses_containerd() {
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

    /// What keeps the images.
    #[must_use]
    pub fn kind(&self) -> Store {
        self.kind
    }

    /// In which form it gets layers.
    #[must_use]
    pub fn form(&self) -> Form {
        Form::of(self.kind, self.is_here)
    }

    /// What the daemon runs.
    #[must_use]
    pub fn platform(&self) -> &Platform {
        &self.platform
    }

    /// The image of this id, if the daemon has it. What it finds by a name that reads like this id is not the image.
    pub async fn image(&self, id: &Digest) -> Result<Option<Image>, Error> {
        let what = format!("look for the image {id}");
        let answer = self.inspect(&what, &id.to_string()).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let answer = self.require_success(&what, answer)?;
        let mut found: Inspected = self.parse(&what, &answer.body)?;
        if found.id != *id && self.kind == Store::Podman {
            // The image itself may be there, hidden by the name. Podman has no status of its own for one that is not.
            let answer = self.inspect(&what, &self.unmistakable(id)).await?;
            if answer.status.is_success() {
                found = self.parse(&what, &answer.body)?;
            }
        }
        Ok((found.id == *id).then(|| self.read_image(found)))
    }

    fn read_image(&self, found: Inspected) -> Image {
        let mut tags = HashSet::new();
        let mut has_strange_names = false;
        for name in found.repo_tags.iter().flatten() {
            match name.parse() {
                Ok(name) => drop(tags.insert(name)),
                Err(_) => has_strange_names |= name != NO_NAME,
            }
        }
        Image {
            id: found.id,
            tags,
            has_strange_names,
            layers: found.root_fs.layers.unwrap_or_default(),
            // The other stores make digests up for what was loaded.
            in_registry: matches!(self.kind, Store::Docker { .. })
                && found.repo_digests.iter().flatten().count() > 0,
        }
    }

    async fn inspect(&self, what: &str, object: &str) -> Result<BufferedResponse, Error> {
        let path = self.path(&format!("/images/{object}/json"));
        self.ask(what, Verb::Get, &path, SMALL).await
    }

    /// The ids of all images that are not the parts of others.
    pub async fn images(&self) -> Result<Vec<Digest>, Error> {
        let images: Vec<Listed> = self.read("list the images", "/images/json", LARGE).await?;
        Ok(images.into_iter().map(|image| image.id).collect())
    }

    /// The ids of the images of all containers, running or not.
    pub async fn images_in_use(&self) -> Result<HashSet<Digest>, Error> {
        let containers: Vec<Container> = self
            .read("list the containers", "/containers/json?all=1", LARGE)
            .await?;
        Ok(containers
            .iter()
            .filter_map(|container| Digest::parse_lenient(&container.image_id).ok())
            .collect())
    }

    /// An image's id in a form that the daemon takes for nothing else. Podman takes `sha256:<hex>` for a name where it has
    /// no image of that id. It takes no 64 hexadecimal digits for a name (distribution/reference,
    /// `ParseNormalizedNamed`; seen with podman 4.3).
    fn unmistakable(&self, id: &Digest) -> String {
        match self.kind {
            Store::Podman => id.hex(),
            Store::Docker { .. } | Store::Containerd => id.to_string(),
        }
    }

    /// Gives an image one more name, and takes it from another that has it.
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

    /// Takes a name away, and the image with its last name.
    pub async fn untag(&self, name: &TagName) -> Result<Removal, Error> {
        // The characters of a name mean nothing else in a path.
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

    /// Sends an archive, and waits until the daemon has loaded it.
    pub async fn load(
        &self,
        archive: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    ) -> Result<(), Error> {
        let what = "load the image";
        let path = self.path("/images/load?quiet=1");
        let mut response = self
            .client
            .upload(&path, "application/x-tar", archive)
            .await
            .map_err(|source| self.http(what, source))?;
        let status = response.status();
        if !status.is_success() {
            // Nothing is worth waiting for without end but the end of a load.
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
        // An error that was said counts more than one in saying it.
        match (events::error(&body), broken) {
            (Ok(Some(message)), _) => Err(Error::Load { message }),
            (_, Some(broken)) => Err(self.http(what, broken)),
            (Ok(None), None) => Ok(()),
            (Err(source), None) => Err(self.garbage(what, source)),
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
        serde_json::from_slice(body).map_err(|source| self.garbage(what, source))
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
            Ok(Failure { message }) => Message::new(&message),
            Err(_) => Message::new(&String::from_utf8_lossy(body)),
        };
        Error::Status {
            what: what.to_owned(),
            address: self.address.clone(),
            status,
            message,
        }
    }

    fn garbage(&self, what: &str, source: serde_json::Error) -> Error {
        Error::Garbage {
            what: what.to_owned(),
            address: self.address.clone(),
            source: source.into(),
        }
    }
}

/// The name that this machine has, and a daemon on it.
fn machine_name() -> String {
    let uname = rustix::system::uname();
    uname.nodename().to_string_lossy().into_owned()
}
