//! The download of a build: from the first of the places that gives the blob. A place that does not answer is soon
//! left for the next, and asked again with all patience where no other has helped.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::activity::NixProgress;
use super::credentials::Credentials;
use super::nowhere::{Answer, Nowhere};
use crate::cli::{Context, Error, transfer, transport};
use crate::http::Client;
use crate::http::retry::{Next, Notice};
use crate::name::endpoint::Endpoint;
use crate::nix::builder::{Blob as Job, Location};
use crate::oci::digest::Digest;
use crate::output::{Existing, OutputFile};
use crate::registry::{Blob, Role};
use crate::safe_url::SafeUrl;
use crate::verify::Size;

/// So many failures in a row are retried where there are other places to ask.
const RETRIES_IN_HASTE: u32 = 1;

/// What is the same wherever the blob comes from.
struct Download<'a> {
    context: &'a Context,
    out: PathBuf,
    digest: Digest,
    size: Size,
    mirrors: Vec<Endpoint>,
    credentials: Credentials<'a>,
}

/// Fetches a blob.
pub(super) async fn fetch(job: Job, context: &Context) -> Result<(), Error> {
    let locations = std::iter::once(job.location).chain(job.alternatives);
    let mut answers: Vec<Answer> = locations.map(Answer::none).collect();
    let registries: BTreeSet<_> = answers
        .iter()
        .map(|answer| answer.location.endpoint.base())
        .collect();
    let download = Download {
        context,
        out: job.out,
        digest: job.digest,
        size: job.size,
        mirrors: job.mirrors,
        credentials: Credentials::of_build(registries.len() > 1, context),
    };
    let client = transport::client(context, true)?;
    if let [only] = answers.as_slice() {
        return download.attempt(&only.location, &client, job.urls).await;
    }
    let patience = client.settings().policy.retries;
    let haste = patience.min(RETRIES_IN_HASTE);
    let round = Round::First;
    if download
        .ask_around(&mut answers, &client.with_retries(haste), round)
        .await?
    {
        return Ok(());
    }
    if patience > haste
        && download
            .ask_around(&mut answers, &client, Round::Second)
            .await?
    {
        return Ok(());
    }
    // What no registry may distribute. The URLs come from the manifests of several registries.
    let mut urls = job.urls;
    urls.retain(|url| answers.iter().all(|answer| answer.admits(url)));
    if !urls.is_empty()
        && let Some(answer) = answers.iter_mut().find(|answer| answer.is_absent())
        && download.ask(answer, &client, urls).await?
    {
        return Ok(());
    }
    Err(Nowhere::new(job.digest, answers).into())
}

/// How often the places were asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Round {
    First,
    Second,
}

impl Download<'_> {
    /// Asks everywhere where the answer is not known yet or may be another one now, until the blob is there. A registry
    /// that cannot be reached is left alone for the rest of the round. One that is in trouble is asked for its other
    /// repositories too, but just once: there may be a hundred of them.
    async fn ask_around(
        &self,
        answers: &mut [Answer],
        client: &Client,
        round: Round,
    ) -> Result<bool, Error> {
        let mut failure = None;
        let mut troubled: Vec<Endpoint> = Vec::new();
        let mut left_alone: Vec<Endpoint> = Vec::new();
        for answer in answers {
            let endpoint = &answer.location.endpoint;
            if !answer.may_change() || left_alone.contains(endpoint) {
                continue;
            }
            if let Some(reason) = failure.take() {
                self.context.display.retrying(&Notice {
                    next: Next::Elsewhere,
                    reason,
                    after: None,
                });
            }
            let asked = if troubled.contains(endpoint) {
                self.ask(answer, &client.with_retries(0), Vec::new())
                    .await?
            } else {
                self.ask(answer, client, Vec::new()).await?
            };
            if asked {
                return Ok(true);
            }
            failure = answer.reason();
            let endpoint = answer.location.endpoint.clone();
            if answer.is_unreachable() || (answer.may_change() && round == Round::Second) {
                left_alone.push(endpoint);
            } else if answer.may_change() {
                troubled.push(endpoint);
            }
        }
        Ok(false)
    }

    /// Asks one place, and keeps what it says unless the blob is there. Only what the place has said is a reason to ask
    /// another.
    async fn ask(
        &self,
        answer: &mut Answer,
        client: &Client,
        urls: Vec<String>,
    ) -> Result<bool, Error> {
        match self.attempt(&answer.location, client, urls).await {
            Ok(()) => Ok(true),
            Err(Error::Registry(error)) => {
                answer.said = Some(error);
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    async fn attempt(
        &self,
        location: &Location,
        client: &Client,
        urls: Vec<String>,
    ) -> Result<(), Error> {
        let Location {
            endpoint,
            repository,
        } = location.clone();
        let url = endpoint.blob_url(&repository, &self.digest);
        let registry = transport::registry(
            self.context,
            client.clone(),
            endpoint,
            &repository,
            self.credentials.find(location).await?,
            self.mirrors.clone(),
        )
        .await?;
        let file = OutputFile::create(&self.out, Existing::Refuse)?;
        let blob = Blob {
            repository,
            role: Role::Blob,
            digest: self.digest,
            size: self.size,
            urls,
        };
        let progress = NixProgress::start(&SafeUrl::new(&url));
        let outcome = transfer::to_output(&registry, &blob, file, &self.out, &progress).await;
        progress.stop();
        outcome
    }
}
