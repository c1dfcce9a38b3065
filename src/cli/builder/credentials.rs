//! The credentials of a build. Its environment may name files that the sandbox does not contain; public images are built
//! nevertheless. Some credentials name no registry: the variables and the classic file. A build sends them to its
//! registry if it has only one; a build with several registries sends them to none.

use std::path::{Path, PathBuf};

use crate::cli::credentials::{classic, files_of_environment, of_environment, sources};
use crate::cli::{Context, Error, report};
use hocker::auth;
use hocker::auth::sources::{Presence, SourceFile, SourceOutcome};
use hocker::nix::builder::{BlobJob, Location};
use hocker::printable::Printable;

/// The credentials file of the classic fetchers. `extra-sandbox-paths` brings it into the sandbox.
const CLASSIC: &str = "/etc/nix-docker-credentials.txt";

/// The credentials of a build.
pub(super) struct Credentials<'a> {
    context: &'a Context,
    /// The credentials in the environment, for any registry.
    given: Option<auth::Credentials>,
    files: Vec<SourceFile>,
}

impl<'a> Credentials<'a> {
    /// Finds the credentials of a build, and prints a line about those that it does not use.
    pub(super) fn of_build(job: &BlobJob, asks_several: bool, context: &'a Context) -> Self {
        let given = of_environment(&context.environment);
        let classic = classic(classic_path(job.credentials_file.as_deref()));
        if asks_several {
            let mut unused = Vec::new();
            unused.extend(given.map(|given| given.origin.to_string()));
            if classic.path.exists() {
                unused.push(classic.path.display().to_string());
            }
            for origin in unused {
                report::note(&Printable::new(&format!(
                    "credentials from {origin} are not used: they are for one registry, and this build may use several"
                )));
            }
            return Self {
                context,
                given: None,
                files: files(context),
            };
        }
        let mut files = if given.is_none() {
            files(context)
        } else {
            Vec::new()
        };
        files.push(classic);
        Self {
            context,
            given,
            files,
        }
    }

    /// Searches for the credentials for a location.
    pub(super) async fn find(
        &self,
        location: &Location,
    ) -> Result<Option<auth::Credentials>, Error> {
        if let Some(given) = &self.given {
            return Ok(Some(given.clone()));
        }
        let sources = sources(self.files.clone(), &self.context.environment);
        let (registry, repository) = (location.endpoint.registry_name(), &location.repository);
        let mut record = |place: &str, outcome: &SourceOutcome| {
            self.context.record_failed_source(registry, place, outcome);
        };
        Ok(sources
            .search(registry, Some(repository), &mut record)
            .await?)
    }
}

/// Returns the path of the classic file: the one that the derivation names, if the sandbox contains it. As in the classic
/// fetchers, the fixed path follows.
fn classic_path(named: Option<&Path>) -> PathBuf {
    match named {
        Some(path) if path.exists() => path.to_owned(),
        Some(path) => {
            note_missing(path);
            CLASSIC.into()
        }
        None => CLASSIC.into(),
    }
}

/// Returns the files that the environment names, and prints a line about each that is missing.
fn files(context: &Context) -> Vec<SourceFile> {
    let mut files = files_of_environment(&context.environment);
    for file in &mut files {
        if file.is_missing() {
            note_missing(&file.path);
        }
        file.presence = Presence::Optional;
    }
    files
}

fn note_missing(path: &Path) {
    let path = path.display();
    report::note(&Printable::new(&format!(
        "no credentials from {path}: the file does not exist; a sandbox contains it only with extra-sandbox-paths"
    )));
}
