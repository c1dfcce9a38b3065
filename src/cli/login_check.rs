//! `hocker login-check`: shows why a registry grants or denies access. It prints the places of the search for
//! credentials, the challenges of the registry, and whether the registry accepts the credentials. It never prints a
//! secret.

use super::args::LoginCheckArgs;
use super::credentials::{self, SearchedPlace};
use super::{Context, Error, stdout, transport};
use hocker::auth::sources::SourceOutcome;
use hocker::auth::{Credentials, Origin, Proof};
use hocker::name::Reference;
use hocker::name::endpoint::Endpoint;
use hocker::printable::Printable;
use hocker::registry::{Access, Registry};
use hocker::safe_url;

pub(super) async fn run(args: LoginCheckArgs, context: &Context) -> Result<(), Error> {
    let (endpoint, image) = target(args.target.as_deref(), args.registry)?;
    let name = endpoint.registry_name();
    print(&[format!("registry: {name}, at {endpoint}")])?;
    if let Some(image) = &image {
        let (repository, reference) = (&image.repository, image.manifest_reference());
        print(&[format!("image: {repository}, {reference}")])?;
    }

    let repository = image.as_ref().map(|image| &image.repository);
    let (places, found) = credentials::search(args.credentials, name, repository, context).await;
    print(&["credentials, from the first place that has any:".to_owned()])?;
    print(&places.iter().map(line).collect::<Vec<_>>())?;
    let found = credentials::admitted(found?, &endpoint);

    let with = with(found.as_ref());
    let registry = Registry::new(transport::client(context, false)?, endpoint, found);
    let response = registry.ask_anonymously(image.as_ref()).await?;
    print(&[format!("response without credentials: {}", response.status)])?;
    let challenges = response.challenges.iter();
    print(&challenges.map(|one| format!("  {one}")).collect::<Vec<_>>())?;

    let access = registry.access(image.as_ref()).await?;
    let what = match (access, &image) {
        (Access::Granted, Some(image)) => format!("fetching {image}"),
        (Access::NoSuchImage, Some(image)) => {
            let (repository, reference) = (&image.repository, image.manifest_reference());
            format!("fetching from {repository} ({reference} does not exist)")
        }
        (_, None) => "access to the registry".to_owned(),
    };
    print(&[format!("allowed: {what}, {with}")])
}

/// Parses the target: an image, or a registry alone. A name without a slash is a registry if it looks like a host.
fn target(
    text: Option<&str>,
    endpoint: Option<Endpoint>,
) -> Result<(Endpoint, Option<Reference>), Error> {
    let text = text.unwrap_or_default();
    let invalid = |source| Error::Reference {
        image: safe_url::shown(text),
        source,
    };
    match endpoint {
        Some(endpoint) if text.is_empty() => Ok((endpoint, None)),
        Some(endpoint) => {
            let image = Reference::in_registry(endpoint.registry_name().clone(), text);
            Ok((endpoint, Some(image.map_err(invalid)?)))
        }
        None if text.contains("://") || is_registry(text) => Ok((text.parse()?, None)),
        None => {
            let image: Reference = text.parse().map_err(invalid)?;
            Ok((Endpoint::of(&image.registry)?, Some(image)))
        }
    }
}

fn is_registry(text: &str) -> bool {
    let Some(host) = text.strip_suffix('/') else {
        let host = text.split(':').next().unwrap_or_default();
        return !text.contains('/')
            && !text.contains('@')
            && (host.contains('.') || host == "localhost" || text.starts_with('['));
    };
    !host.contains('/')
}

fn line(place: &SearchedPlace) -> String {
    let outcome = match &place.outcome {
        None => "not searched",
        Some(SourceOutcome::Absent) => "does not exist",
        Some(SourceOutcome::NoEntry) => "none",
        Some(SourceOutcome::Unanswered { reason }) => return format!("  {}: {reason}", place.name),
        Some(SourceOutcome::Unusable) => "unusable",
        Some(SourceOutcome::Credentials(credentials)) => {
            return format!("  {}: {}", place.name, kind(credentials));
        }
    };
    format!("  {}: {outcome}", place.name)
}

fn kind(credentials: &Credentials) -> String {
    let kind = match credentials.proof {
        Proof::Basic { .. } => "a user name and a password",
        Proof::Bearer(_) => "a bearer token for the registry itself",
        Proof::Identity(_) => "an identity token for the token service",
    };
    match &credentials.origin {
        Origin::Helper { program, .. } => format!("{kind}, from {program}"),
        _ => kind.to_owned(),
    }
}

fn with(credentials: Option<&Credentials>) -> String {
    credentials.map_or_else(
        || "without credentials".to_owned(),
        |credentials| format!("with the credentials from {}", credentials.origin),
    )
}

/// Prints lines at once, so that the user has them even if a later step fails.
fn print(lines: &[String]) -> Result<(), Error> {
    let lines: Vec<_> = lines.iter().map(|line| Printable::new(line)).collect();
    stdout::lines(&lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_host_is_a_registry_and_all_else_an_image() {
        for (text, registry, repository) in [
            ("ghcr.io", "ghcr.io", None),
            ("ghcr.io/", "ghcr.io", None),
            ("https://ghcr.io/v2/", "ghcr.io", None),
            ("docker.io", "docker.io", None),
            ("localhost:5000", "localhost:5000", None),
            ("127.0.0.1:5000", "127.0.0.1:5000", None),
            ("[::1]:5000", "[::1]:5000", None),
            ("registry:5000/", "registry:5000", None),
            ("debian", "docker.io", Some("library/debian")),
            ("debian:12.5", "docker.io", Some("library/debian")),
            ("ghcr.io/team/app:1", "ghcr.io", Some("team/app")),
            ("localhost:5000/app", "localhost:5000", Some("app")),
        ] {
            let (endpoint, image) = target(Some(text), None).unwrap();
            assert_eq!(endpoint.registry_name().as_str(), registry, "{text}");
            let image = image.map(|image| image.repository.to_string());
            assert_eq!(image.as_deref(), repository, "{text}");
        }
        assert!(target(Some("https://me:pw@ghcr.io/"), None).is_err());
    }
}
