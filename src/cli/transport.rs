//! Turns arguments and environment into an HTTP client: its retries, timeouts, proxies, certificate authorities and
//! mirrors.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use url::Url;

use super::args::TransportArgs;
use super::args::values::{self, origin, seconds};
use super::environment::{self, Environment};
use super::{Context, Error, credentials, report};
use hocker::auth::Credentials;
use hocker::http::retry::Policy;
use hocker::http::{CertsDirectories, Client, Proxies, Roots, RootsError, Settings};
use hocker::name::Repository;
use hocker::name::endpoint::Endpoint;
use hocker::name::mirror::{self, Mirror};
use hocker::printable::Printable;
use hocker::registry::{GitHubApi, Registry};
use hocker::secret::Secret;

/// Creates a client from arguments and environment. `sandboxed` is true in a Nix build. There, a certificate variable
/// may name a file that exists only outside of the sandbox, because Nix sets the variable for its own downloads.
pub(super) fn client(context: &Context, sandboxed: bool) -> Result<Client, Error> {
    let roots = roots(&context.environment, sandboxed)?;
    if context.verbose {
        let text = format!("certificate authorities: {}", roots.origin());
        report::note(&Printable::new(&text));
    }
    Ok(Client::new(roots, settings(context)?))
}

/// Creates a registry with its mirrors: those of a derivation's attributes, then those of the arguments, else of the
/// environment.
pub(super) async fn registry(
    context: &Context,
    client: Client,
    endpoint: Endpoint,
    repository: &Repository,
    credentials: Option<Credentials>,
    attributes: Vec<Endpoint>,
) -> Result<Registry, Error> {
    let environment = &context.environment;
    let given = &context.transport.mirror;
    let mirrors = if given.is_empty() {
        mirrors_of_environment(&context.environment)?
    } else {
        given.clone()
    };
    let mirrors = mirrors
        .into_iter()
        .filter(|mirror| mirror.of == *endpoint.registry_name())
        .map(|mirror| mirror.endpoint);
    let mut registries = Vec::new();
    for mirror in attributes.into_iter().chain(mirrors) {
        // `credentials` are for the registry itself. A mirror has its own credentials.
        let credentials =
            credentials::of_mirror(mirror.registry_name(), repository, environment).await?;
        let credentials = credentials::admitted(credentials, &mirror);
        let registry = Registry::new(client.clone(), mirror, credentials);
        registries.push(registry.with_sources(credentials::for_others(environment)));
    }
    let credentials = credentials::admitted(credentials, &endpoint);
    Ok(Registry::new(client, endpoint, credentials)
        .with_sources(credentials::for_others(environment))
        .with_github(Some(github(environment)?))
        .with_mirrors(registries))
}

/// Returns the address of GitHub's API, and the token for it.
fn github(environment: &Environment) -> Result<GitHubApi, Error> {
    let name = environment::GITHUB_API_URL;
    let mut tokens = environment::GITHUB_TOKENS.iter();
    let token = tokens.find_map(|name| environment.var(name));
    let url = environment.var(name);
    let api = GitHubApi::new(url.as_deref(), token.map(Secret::new));
    api.ok_or_else(|| Error::Environment {
        name,
        reason: "the value must be an https URL".to_owned(),
    })
}

fn mirrors_of_environment(environment: &Environment) -> Result<Vec<Mirror>, Error> {
    let name = environment::HOCKER_MIRRORS;
    let text = environment.var(name).unwrap_or_default();
    text.split_whitespace()
        .map(|mirror| {
            mirror
                .parse()
                .map_err(|error: mirror::ParseError| Error::Environment {
                    name,
                    reason: error.to_string(),
                })
        })
        .collect()
}

/// Returns the certificate authorities of the first bundle that the environment names, else the system's, and those in
/// the directories of `SSL_CERT_DIR`.
pub(super) fn roots(environment: &Environment, sandboxed: bool) -> Result<Roots, RootsError> {
    let directories = environment
        .var_os(environment::SSL_CERT_DIR)
        .unwrap_or_default();
    let directories =
        std::env::split_paths(&directories).filter(|path| !path.as_os_str().is_empty());
    Ok(bundle(environment, sandboxed)?
        .unwrap_or_else(Roots::of_the_system)
        .with_directories(directories))
}

fn bundle(environment: &Environment, sandboxed: bool) -> Result<Option<Roots>, RootsError> {
    for variable in [environment::NIX_SSL_CERT_FILE, environment::SSL_CERT_FILE] {
        let path = environment.path(variable);
        // Nix sets this path if it has no bundle.
        let Some(path) = path.filter(|path| path != Path::new("/no-cert-file.crt")) else {
            continue;
        };
        match Roots::from_file(&path) {
            Err(error) if sandboxed && error.is_not_found() => {}
            roots => return roots.map(|roots| Some(roots.named_by(variable))),
        }
    }
    Ok(None)
}

/// Returns the directories in which docker and podman keep the certificates of single hosts. A Nix build has none of
/// them.
fn certificates(environment: &Environment) -> CertsDirectories {
    let home = environment.path(environment::HOME);
    let own = home.map(|home| home.join(".config/containers/certs.d"));
    let system = ["/etc/containers/certs.d", "/etc/docker/certs.d"].map(PathBuf::from);
    CertsDirectories(own.into_iter().chain(system).collect())
}

/// Returns the settings of the HTTP client, from arguments, else from the environment.
pub(super) fn settings(context: &Context) -> Result<Settings, Error> {
    let (args, environment) = (&context.transport, &context.environment);
    let display = context.display.clone();
    let defaults = Settings::default();
    let retries = || {
        let (name, default) = (environment::HOCKER_RETRIES, defaults.policy.retries);
        from_environment(environment, name, values::retries, default)
    };
    let first_delay = || {
        let (name, default) = (environment::HOCKER_RETRY_DELAY, defaults.policy.first_delay);
        from_environment(environment, name, seconds, default)
    };
    let stall_timeout = || {
        let (name, default) = (environment::HOCKER_STALL_TIMEOUT, defaults.stall_timeout);
        from_environment(environment, name, values::timeout, default)
    };
    Ok(Settings {
        policy: Policy {
            retries: args.retries.map_or_else(retries, Ok)?,
            first_delay: args.retry_delay.map_or_else(first_delay, Ok)?,
            notify: Arc::new(move |notice| display.retrying(notice)),
        },
        stall_timeout: args.stall_timeout.map_or_else(stall_timeout, Ok)?,
        proxies: proxies(environment),
        blob_stores: blob_stores(args, environment)?,
        certificates: certificates(environment),
    })
}

/// Returns the servers to which registries may redirect for blobs, even if the address is internal or the scheme is
/// http.
fn blob_stores(args: &TransportArgs, environment: &Environment) -> Result<Vec<Url>, Error> {
    let name = environment::HOCKER_BLOBS_FROM;
    if !args.blobs_from.is_empty() {
        return Ok(args.blobs_from.clone());
    }
    let text = environment.var(name).unwrap_or_default();
    text.split_whitespace()
        .map(|url| origin(url).map_err(|reason| Error::Environment { name, reason }))
        .collect()
}

/// Returns the proxies of the environment, from variables in lower or upper case. `HTTP_PROXY` in upper case is safe:
/// hocker is not a CGI program, in which a client can set this variable by a header.
fn proxies(environment: &Environment) -> Proxies {
    let either = |names: [&str; 2]| names.into_iter().find_map(|name| environment.var(name));
    let all = || either(environment::ALL_PROXY);
    Proxies {
        http: either(environment::HTTP_PROXY).or_else(all),
        https: either(environment::HTTPS_PROXY).or_else(all),
        except: either(environment::NO_PROXY),
    }
}

/// Parses a variable's value; returns the default if it is unset or empty.
fn from_environment<T>(
    environment: &Environment,
    name: &'static str,
    parse: impl Fn(&str) -> Result<T, String>,
    default: T,
) -> Result<T, Error> {
    match environment.var(name) {
        Some(text) => parse(&text).map_err(|reason| Error::Environment { name, reason }),
        None => Ok(default),
    }
}
