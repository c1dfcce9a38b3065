//! Credentials for a command: from the arguments, else from the environment, else from the files of docker, podman and
//! curl. This module owns the names and default paths of these files. With `--verbose` it prints the source that it
//! found, never the secret.

use std::io::{self, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::args::CredentialArgs;
use super::environment::{self, Environment};
use super::{Context, Error, report};
use hocker::auth::helper::Helpers;
use hocker::auth::sources::{Format, Presence, SourceFile, SourceOutcome, Variable};
use hocker::auth::{Credentials, Origin, Proof, Sources};
use hocker::name::endpoint::Endpoint;
use hocker::name::{RegistryName, Repository};
use hocker::printable::Printable;
use hocker::secret::Secret;

/// The maximum length of a password on standard input, in bytes (64 KiB).
const PASSWORD_LIMIT: u64 = 64 << 10;

/// The time limit for a credential helper.
const PATIENCE: Duration = Duration::from_secs(10);

/// The time limit for a credential helper at a terminal, where it may ask the user for a passphrase.
const PATIENCE_WITH_PEOPLE: Duration = Duration::from_secs(120);

/// A place of the search for credentials, and the outcome there. It has no outcome if the search ended before.
pub(super) struct SearchedPlace {
    pub(super) name: String,
    pub(super) outcome: Option<SourceOutcome>,
}

/// Searches for the credentials of a command.
pub(super) async fn of_command(
    args: CredentialArgs,
    registry: &RegistryName,
    repository: &Repository,
    context: &Context,
) -> Result<Option<Credentials>, Error> {
    let (places, found) = search(args, registry, Some(repository), context).await;
    let found = found?;
    if context.verbose {
        let line = if let Some(found) = &found {
            format!("using credentials for {registry} from {}", found.origin)
        } else {
            let names: Vec<_> = places.into_iter().map(|place| place.name).collect();
            let names = names.join(", ");
            format!("no credentials for {registry} in any of: {names}")
        };
        report::note(&Printable::new(&line));
    }
    Ok(found)
}

/// Returns the credentials that the user gave for this command: by arguments, else by the environment.
pub(super) async fn given(
    args: CredentialArgs,
    registry: &RegistryName,
    repository: &Repository,
    environment: &Environment,
) -> Result<Option<Credentials>, Error> {
    let given = of_arguments(args, registry, Some(repository), environment).await?;
    Ok(given.or_else(|| of_environment(environment)))
}

/// Searches the files for the credentials of a registry.
pub(super) async fn kept(
    registry: &RegistryName,
    repository: &Repository,
    context: &Context,
) -> Result<Option<Credentials>, Error> {
    let sources = sources(
        files_of_environment(&context.environment),
        &context.environment,
    );
    let mut record = |place: &str, outcome: &SourceOutcome| {
        context.record_failed_source(registry, place, outcome);
    };
    let search = sources.search(registry, Some(repository), &mut record);
    let kept = search.await?;
    if context.verbose {
        let line = match &kept {
            Some(kept) => format!("using credentials for {registry} from {}", kept.origin),
            None => format!("no credentials for {registry} in any file"),
        };
        report::note(&Printable::new(&line));
    }
    Ok(kept)
}

/// Searches for credentials, and returns all places of the search with their outcomes. The search ends at the first
/// credentials, and at the first error.
pub(super) async fn search(
    args: CredentialArgs,
    registry: &RegistryName,
    repository: Option<&Repository>,
    context: &Context,
) -> (Vec<SearchedPlace>, Result<Option<Credentials>, Error>) {
    let mut places = Vec::new();
    let mut add = |name: String, outcome| places.push(SearchedPlace { name, outcome });
    let outcome = |found: &Option<Credentials>| match found {
        Some(found) => SourceOutcome::Credentials(found.clone()),
        None => SourceOutcome::NoEntry,
    };

    let given = of_arguments(args, registry, repository, &context.environment).await;
    let was_given = given.as_ref().map_or(SourceOutcome::Unusable, &outcome);
    add("the command line".to_owned(), Some(was_given));
    let mut found = given;

    let is_over = |found: &Result<Option<Credentials>, Error>| !matches!(found, Ok(None));
    let names = "the environment (DOCKER_TOKEN, or DOCKER_USER and DOCKER_PASS)";
    let mut asked = None;
    if !is_over(&found) {
        let given = of_environment(&context.environment);
        asked = Some(outcome(&given));
        found = Ok(given);
    }
    add(names.to_owned(), asked);

    let sources = sources(
        files_of_environment(&context.environment),
        &context.environment,
    );
    let mut looked_at = 0;
    if !is_over(&found) {
        let mut record = |place: &str, outcome: &SourceOutcome| {
            looked_at += 1;
            context.record_failed_source(registry, place, outcome);
            add(place.to_owned(), Some(outcome.clone()));
        };
        let search = sources.search(registry, repository, &mut record);
        found = search.await.map_err(Error::from);
    }
    for place in sources.places().into_iter().skip(looked_at) {
        add(place, None);
    }
    (places, found)
}

/// Searches for the credentials of a mirror, which are stored under the mirror's own name. Failed sources are not
/// recorded: errors name them for the registry alone.
pub(super) async fn of_mirror(
    mirror: &RegistryName,
    repository: &Repository,
    environment: &Environment,
) -> Result<Option<Credentials>, Error> {
    Ok(for_others(environment)
        .find(mirror, Some(repository))
        .await?)
}

/// Returns the sources for hosts that the user did not name, such as the target of a redirect.
pub(super) fn for_others(environment: &Environment) -> Sources {
    let mut files = files_of_environment(environment);
    for file in &mut files {
        file.presence = Presence::Optional;
    }
    sources(files, environment)
}

/// Returns the credentials if they may be sent to this endpoint. Otherwise prints the reason.
pub(super) fn admitted(
    credentials: Option<Credentials>,
    endpoint: &Endpoint,
) -> Option<Credentials> {
    let credentials = credentials?;
    if credentials.are_for(endpoint) {
        return Some(credentials);
    }
    let reason = if credentials.origin.is_this_call() {
        "hocker sends credentials over plain http only if the command line or an expression says http://"
    } else {
        "hocker sends stored credentials over https only; use an https URL, or give the credentials by arguments or by \
         environment variables"
    };
    report::note(&Printable::new(&format!(
        "credentials from {} are not sent to {endpoint}: {reason}",
        credentials.origin
    )));
    None
}

async fn of_arguments(
    args: CredentialArgs,
    registry: &RegistryName,
    repository: Option<&Repository>,
    environment: &Environment,
) -> Result<Option<Credentials>, Error> {
    if let Some(path) = args.credentials_file {
        let file = SourceFile {
            presence: Presence::Required,
            may_be_pipe: true,
            ..classic(path.clone())
        };
        let file = Sources {
            variable: None,
            ..sources(vec![file], environment)
        };
        let found = file.find(registry, repository).await?;
        let origin = Origin::NamedFile(path);
        return Ok(found.map(|found| Credentials { origin, ..found }));
    }
    let proof = match (args.token, args.username) {
        (Some(token), _) => Proof::Bearer(token),
        (None, None) => return Ok(None),
        (None, Some(username)) => Proof::Basic {
            username,
            password: match (args.password, args.password_stdin) {
                (Some(password), _) => password,
                (None, true) => password_from_stdin()?,
                (None, false) => return Err(Error::PasswordMissing),
            },
        },
    };
    let origin = Origin::CommandLine;
    Ok(Some(Credentials { proof, origin }))
}

/// Returns the credentials in `DOCKER_TOKEN`, else in `DOCKER_USER` and `DOCKER_PASS`.
pub(super) fn of_environment(environment: &Environment) -> Option<Credentials> {
    let var = |name| environment.var(name);
    let basic = || var(environment::DOCKER_USER).zip(var(environment::DOCKER_PASS));
    if let Some(token) = var(environment::DOCKER_TOKEN) {
        return Some(Credentials {
            proof: Proof::Bearer(Secret::new(token)),
            origin: Origin::Environment("DOCKER_TOKEN"),
        });
    }
    basic().map(|(username, password)| Credentials {
        proof: Proof::Basic {
            username,
            password: Secret::new(password),
        },
        origin: Origin::Environment("DOCKER_USER, DOCKER_PASS"),
    })
}

fn password_from_stdin() -> Result<Secret, Error> {
    let failed = |source| Error::Input {
        what: "the password from standard input".to_owned(),
        source,
    };
    let mut text = String::new();
    let input = io::stdin().lock();
    input
        .take(PASSWORD_LIMIT + 1)
        .read_to_string(&mut text)
        .map_err(failed)?;
    if text.len() as u64 > PASSWORD_LIMIT {
        let kind = io::ErrorKind::FileTooLarge;
        return Err(failed(io::Error::new(
            kind,
            "the password is longer than 64 KiB",
        )));
    }
    // The newline of `echo` is not part of the password, as in `docker login`.
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Secret::new(text.strip_suffix('\r').unwrap_or(text)))
}

/// Returns the sources for a search: `DOCKER_AUTH_CONFIG`, these files, and the credential helpers that they name.
pub(super) fn sources(files: Vec<SourceFile>, environment: &Environment) -> Sources {
    let is_interactive = io::stdin().is_terminal();
    Sources {
        variable: environment
            .var(environment::DOCKER_AUTH_CONFIG)
            .map(|value| Variable {
                name: environment::DOCKER_AUTH_CONFIG,
                value: Secret::new(value),
            }),
        files,
        helpers: Helpers {
            path: None,
            timeout: if is_interactive {
                PATIENCE_WITH_PEOPLE
            } else {
                PATIENCE
            },
        },
    }
}

fn user_id() -> u32 {
    rustix::process::getuid().as_raw()
}

/// Returns the credential files of other tools, at the paths that the environment gives.
pub(super) fn files_of_environment(environment: &Environment) -> Vec<SourceFile> {
    files(environment, user_id())
}

/// Returns the credential files of other tools, in the order of the search. A file that `REGISTRY_AUTH_FILE` or `NETRC`
/// names must exist.
fn files(environment: &Environment, user_id: u32) -> Vec<SourceFile> {
    let path = |name| environment.path(name);
    let home = path(environment::HOME);
    let mut files = Vec::new();
    let mut add = |path: Option<PathBuf>, format, presence| {
        files.extend(path.map(|path| SourceFile {
            path,
            format,
            presence,
            may_be_pipe: false,
        }));
    };
    let in_home = |rest: &str| home.as_ref().map(|home| home.join(rest));

    let named = path(environment::REGISTRY_AUTH_FILE);
    add(named, Format::DockerConfig, Presence::Required);

    match path(environment::DOCKER_CONFIG) {
        Some(directory) => add(
            Some(directory.join("config.json")),
            Format::DockerConfig,
            Presence::NeedsDirectory,
        ),
        None => add(
            in_home(".docker/config.json"),
            Format::DockerConfig,
            Presence::Optional,
        ),
    }

    let runtime = path(environment::XDG_RUNTIME_DIR).map_or_else(
        || Path::new("/run/containers").join(user_id.to_string()),
        |directory| directory.join("containers"),
    );
    let configuration = path(environment::XDG_CONFIG_HOME).or_else(|| in_home(".config"));
    for directory in [
        Some(runtime),
        configuration.map(|directory| directory.join("containers")),
    ] {
        let path = directory.map(|directory| directory.join("auth.json"));
        add(path, Format::DockerConfig, Presence::Optional);
    }

    match path(environment::NETRC) {
        Some(path) => add(Some(path), Format::Netrc, Presence::Required),
        None => add(in_home(".netrc"), Format::Netrc, Presence::Optional),
    }
    files
}

/// Returns a source for a file in the classic format, whose credentials are for any registry.
pub(super) fn classic(path: PathBuf) -> SourceFile {
    SourceFile {
        path,
        format: Format::Classic,
        presence: Presence::Optional,
        may_be_pipe: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(variables: &[(&str, &str)]) -> Vec<String> {
        files(&Environment::of(variables), 1000)
            .iter()
            .map(|file| format!("{} {:?}", file.path.display(), file.presence))
            .collect()
    }

    #[test]
    fn files_are_asked_in_the_documented_order() {
        assert_eq!(
            places(&[("HOME", "/home/ann")]),
            [
                "/home/ann/.docker/config.json Optional",
                "/run/containers/1000/auth.json Optional",
                "/home/ann/.config/containers/auth.json Optional",
                "/home/ann/.netrc Optional",
            ]
        );
        assert_eq!(
            places(&[
                ("HOME", "/home/ann"),
                ("REGISTRY_AUTH_FILE", "/a.json"),
                ("DOCKER_CONFIG", "/docker"),
                ("XDG_RUNTIME_DIR", "/runtime"),
                ("XDG_CONFIG_HOME", "/config"),
                ("NETRC", "/netrc"),
            ]),
            [
                "/a.json Required",
                "/docker/config.json NeedsDirectory",
                "/runtime/containers/auth.json Optional",
                "/config/containers/auth.json Optional",
                "/netrc Required",
            ]
        );
        assert_eq!(places(&[]), ["/run/containers/1000/auth.json Optional"]);
    }
}
