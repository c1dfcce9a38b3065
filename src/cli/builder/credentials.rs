//! The credentials of a build. The environment is that of whoever builds, and may name files which the sandbox does not
//! show; public images are built all the same. What does not say for which registry it is goes to a registry that is
//! the only one: a build that may ask several takes it for none of them.

use crate::cli::credentials::{classic, files_of_environment, of_environment, sources};
use crate::cli::{Context, Error, report};
use hocker::auth;
use hocker::auth::sources::{Presence, SourceFile, SourceOutcome};
use hocker::nix::builder::Location;
use hocker::printable::Printable;

/// Where the classic fetchers looked for credentials; it reaches the sandbox by `extra-sandbox-paths`.
const CLASSIC: &str = "/etc/nix-docker-credentials.txt";

/// Where a build looks for credentials.
pub(super) struct Credentials<'a> {
    context: &'a Context,
    /// For whatever registry it asks.
    given: Option<auth::Credentials>,
    files: Vec<SourceFile>,
}

impl<'a> Credentials<'a> {
    /// Those that a build has, and tells of those that it does not take.
    pub(super) fn of_build(asks_several: bool, context: &'a Context) -> Self {
        let given = of_environment();
        let classic = classic(CLASSIC.into());
        if asks_several {
            let mut unused = Vec::new();
            unused.extend(given.map(|given| given.origin.to_string()));
            if classic.path.exists() {
                unused.push(CLASSIC.to_owned());
            }
            for origin in unused {
                report::note(&Printable::new(&format!(
                    "the credentials from {origin} are for one registry, and several may be asked here: none gets to \
                     see them"
                )));
            }
            return Self {
                context,
                given: None,
                files: files(),
            };
        }
        let mut files = if given.is_none() { files() } else { Vec::new() };
        files.push(classic);
        Self {
            context,
            given,
            files,
        }
    }

    /// Those for a place.
    pub(super) async fn find(
        &self,
        location: &Location,
    ) -> Result<Option<auth::Credentials>, Error> {
        if let Some(given) = &self.given {
            return Ok(Some(given.clone()));
        }
        let sources = sources(self.files.clone());
        let (registry, repository) = (location.endpoint.registry_name(), &location.repository);
        let mut tell = |place: &str, outcome: &SourceOutcome| {
            self.context.record_failed_source(registry, place, outcome);
        };
        Ok(sources
            .search(registry, Some(repository), &mut tell)
            .await?)
    }
}

/// The files that the environment names, of which those are told that are not here.
fn files() -> Vec<SourceFile> {
    let mut files = files_of_environment();
    for file in &mut files {
        if file.is_missing() {
            let path = file.path.display();
            report::note(&Printable::new(&format!(
                "no credentials from {path}, which is not here: in a sandbox it takes \
                 extra-sandbox-paths"
            )));
        }
        file.presence = Presence::Optional;
    }
    files
}
