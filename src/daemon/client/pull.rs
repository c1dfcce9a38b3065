//! Asks a daemon to fetch an image by its digest, and lists the names that this leaves.

use serde::Deserialize;

use super::{ApiVersion, Daemon, EVENTS, Error, LARGE, MESSAGE, SMALL, StatusCode, Verb};
use crate::daemon::temporary_name::TemporaryName;
use crate::daemon::{DaemonMessage, Store};
use crate::oci::platform::Platform;

/// The version of podman's own API, which every podman since 4.0 offers.
const LIBPOD: &str = "/v4.0.0/libpod";

/// An event while the daemon fetches: Docker's fields, and podman's `stream`. Podman reports errors as Docker does.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Event {
    id: Option<String>,
    status: Option<String>,
    stream: Option<String>,
    error: Option<String>,
    error_detail: Option<Detail>,
    /// Present if the status only counts bytes.
    progress: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Detail {
    message: Option<String>,
}

/// The names of an image in the daemon's list.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    repo_digests: Option<Vec<String>>,
}

/// The part of podman's information that names the machine.
#[derive(Deserialize)]
struct PodmanInfo {
    host: PodmanHost,
}

#[derive(Deserialize)]
pub(super) struct PodmanHost {
    #[serde(default)]
    hostname: String,
    os: String,
    arch: String,
}

impl PodmanHost {
    /// Whether this is the machine of this name.
    pub(super) fn is_machine(&self, name: &str) -> bool {
        !name.is_empty() && self.hostname == name
    }

    /// The platform of the machine.
    pub(super) fn platform(self) -> Platform {
        Platform {
            os: self.os,
            architecture: self.arch,
            ..Platform::default()
        }
        .normalised()
    }
}

impl Event {
    /// Takes the error from the event.
    fn error(&mut self) -> Option<DaemonMessage> {
        let detail = self.error_detail.take().and_then(|detail| detail.message);
        let error = detail.or(self.error.take());
        error
            .filter(|text| !text.is_empty())
            .map(|text| DaemonMessage::new(&text))
    }

    /// What the event says about a layer or the image.
    fn text(self) -> Option<DaemonMessage> {
        if self.progress.is_some() {
            return None;
        }
        let text = match (self.id, self.status) {
            (Some(id), Some(status)) => format!("{id}: {status}"),
            (_, status) => status.or(self.stream)?,
        };
        Some(DaemonMessage::new(&text))
    }
}

impl Daemon {
    /// Returns what podman reports about its machine; `None` before podman 4.
    pub(super) async fn podman_host(&self) -> Result<Option<PodmanHost>, Error> {
        let what = "read the machine of the daemon";
        let path = format!("{LIBPOD}/info");
        let answer = self.ask(what, Verb::Get, &path, SMALL).await?;
        if !answer.status.is_success() {
            return Ok(None);
        }
        let info: PodmanInfo = self.parse(what, &answer.body)?;
        Ok(Some(info.host))
    }

    /// Whether the daemon reaches the loopback addresses of this machine, as far as that can be known: hocker reaches it
    /// locally, and it reports this machine's name.
    pub(in crate::daemon) fn shares_loopback(&self) -> bool {
        self.is_here
    }

    /// Removes the temporary names that killed loads left. The daemon lists them, so no record of them can be lost.
    /// Failures are ignored: the next load or prune tries again.
    pub(in crate::daemon) async fn remove_left_names(&self) {
        // Only a daemon of this machine gets such names.
        if !self.is_here {
            return;
        }
        for name in self.temporary_names().await.unwrap_or_default() {
            if !name.is_in_use().await {
                let _ = self.remove_temporary_name(&name).await;
            }
        }
    }

    /// Asks the daemon to fetch an image by its digest. `platform` is the image's, if it is not the daemon's. `said`
    /// gets what the daemon reports about each layer.
    pub(in crate::daemon) async fn pull(
        &self,
        name: &TemporaryName,
        platform: Option<&Platform>,
        mut said: impl FnMut(&DaemonMessage),
    ) -> Result<(), Error> {
        let what = "let the daemon fetch the image";
        let path = self.pull_path(name, platform);
        let mut response = self
            .client
            .begin(Verb::Post, &path)
            .await
            .map_err(|source| self.http(what, source))?;
        let status = response.status();
        if status != StatusCode::OK {
            let body = response.start_of_body(MESSAGE);
            let body = tokio::time::timeout(self.client.stall_timeout(), body).await;
            return Err(self.status(what, status, &body.unwrap_or_default()));
        }
        let mut rest = Vec::new();
        let mut failure = None;
        loop {
            let chunk = response.chunk().await;
            let chunk = chunk.map_err(|source| self.http(what, source))?;
            let is_end = chunk.is_none();
            rest.extend_from_slice(&chunk.unwrap_or_default());
            // Each event is a line, and the last may lack its end.
            let complete = match rest.iter().rposition(|byte| *byte == b'\n') {
                _ if is_end => rest.len(),
                Some(position) => position + 1,
                None => 0,
            };
            let lines: Vec<u8> = rest.drain(..complete).collect();
            for line in lines.split(|byte| *byte == b'\n') {
                let error = self.event(what, line, &mut said)?;
                failure = failure.or(error);
            }
            if is_end {
                break;
            }
            if rest.len() > EVENTS {
                return Err(self.http(what, response.too_large(EVENTS)));
            }
        }
        match failure {
            Some(message) => Err(Error::Load { message }),
            None => Ok(()),
        }
    }

    fn pull_path(&self, name: &TemporaryName, platform: Option<&Platform>) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        if self.store == Store::Podman {
            query
                .append_pair("reference", &name.to_string())
                .append_pair("tlsVerify", "false");
            if let Some(platform) = platform {
                query
                    .append_pair("OS", &platform.os)
                    .append_pair("Arch", &platform.architecture);
                if let Some(variant) = &platform.variant {
                    query.append_pair("Variant", variant);
                }
            }
            return format!("{LIBPOD}/images/pull?{}", query.finish());
        }
        query
            .append_pair("fromImage", &name.repository())
            .append_pair("tag", &name.reference());
        // Docker before 1.32 of the API does not know it, and pulls the manifest that the digest names.
        if let Some(platform) = platform.filter(|_| self.version >= ApiVersion(1, 32)) {
            query.append_pair("platform", &platform.to_string());
        }
        self.path(&format!("/images/create?{}", query.finish()))
    }

    /// Reads one event. Returns the error that it reports.
    fn event(
        &self,
        what: &str,
        line: &[u8],
        said: &mut impl FnMut(&DaemonMessage),
    ) -> Result<Option<DaemonMessage>, Error> {
        if line.trim_ascii().is_empty() {
            return Ok(None);
        }
        let mut event: Event = self.parse(what, line)?;
        let error = event.error();
        if error.is_none()
            && let Some(text) = event.text()
        {
            said(&text);
        }
        Ok(error)
    }

    /// The temporary names of all images.
    async fn temporary_names(&self) -> Result<Vec<TemporaryName>, Error> {
        let images: Vec<Named> = self.read("list the images", "/images/json", LARGE).await?;
        let mut names: Vec<TemporaryName> = Vec::new();
        for image in images {
            let digests = image.repo_digests.into_iter().flatten();
            for name in image.repo_tags.into_iter().flatten().chain(digests) {
                if let Ok(name) = name.parse()
                    && !names.contains(&name)
                {
                    names.push(name);
                }
            }
        }
        Ok(names)
    }

    /// Removes a temporary name. If the image has no other name, the daemon removes the image too.
    pub(in crate::daemon) async fn remove_temporary_name(
        &self,
        name: &TemporaryName,
    ) -> Result<(), Error> {
        self.remove(&name.to_string()).await.map(drop)
    }
}
