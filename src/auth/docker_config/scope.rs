//! Scopes: the registry or repositories of a key in `auths` and `credHelpers`.
//!
//! Sources: docker/cli's `ConvertToHostname`; containers-auth.json(5) for keys with a path.

use std::borrow::Cow;

use crate::name::{Repository, docker_hub};

/// The scope of a key: a registry, or the repositories at and below a path.
pub(super) struct Scope<'a> {
    /// The registry's host and port.
    pub(super) host: String,
    /// The path in the registry; empty for the whole registry.
    pub(super) path: &'a str,
}

impl<'a> Scope<'a> {
    /// Parses a key. Older tools write a URL.
    pub(super) fn of(key: &'a str) -> Self {
        // The path of a URL is that of the API, not a repository.
        if let Some((_, rest)) = key.split_once("://") {
            let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
            let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
            let host = host_of(&bracketed(host));
            return Self { host, path: "" };
        }
        let (host, path) = key.split_once('/').unwrap_or((key, ""));
        let path = path.trim_end_matches('/');
        Self {
            host: host_of(host),
            path: if matches!(path, "v1" | "v2") {
                ""
            } else {
                path
            },
        }
    }

    /// Returns whether the scope contains a repository of the registry; without a repository, the whole registry.
    pub(super) fn holds(&self, repository: Option<&Repository>) -> bool {
        self.path.is_empty()
            || repository
                .and_then(|repository| repository.as_str().strip_prefix(self.path))
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// Adds brackets to an IPv6 address with a port. Docker accepts URLs without them.
fn bracketed(host: &str) -> Cow<'_, str> {
    match host.rsplit_once(':') {
        Some((address, port)) if address.contains(':') && !host.starts_with('[') => {
            format!("[{address}]:{port}").into()
        }
        _ => host.into(),
    }
}

/// Returns a registry's host and port in lowercase, with `docker.io` for all names of Docker Hub.
pub(super) fn host_of(name: &str) -> String {
    docker_hub::canonical(&name.to_ascii_lowercase()).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_docker_reads_them() {
        for (key, registry, found) in [
            ("https://index.docker.io/v1/", "docker.io", true),
            ("index.docker.io", "docker.io", true),
            ("docker.io", "docker.io", true),
            ("https://registry-1.docker.io/v2/", "docker.io", true),
            (
                "https://index.docker.io/v1/",
                "registry-1.docker.io:443",
                false,
            ),
            ("ghcr.io", "ghcr.io", true),
            ("https://ghcr.io", "ghcr.io", true),
            ("https://ghcr.io/v2/", "ghcr.io", true),
            ("http://ghcr.io/v1/", "ghcr.io", true),
            ("ghcr.io/v2/", "ghcr.io", true),
            ("ghcr.io/", "ghcr.io", true),
            ("GHCR.io", "ghcr.io", true),
            ("https://r.example:5000/v2/", "r.example:5000", true),
            ("r.example:5000", "r.example:5000", true),
            ("http://r.example:5000", "r.example:5000", true),
            ("127.0.0.1:5000", "127.0.0.1:5000", true),
            ("https://127.0.0.1:5000/v2/", "127.0.0.1:5000", true),
            ("r.example:5000", "r.example", false),
            ("r.example", "r.example:5000", false),
            ("[::1]:5000", "[::1]:5000", true),
            ("::1:5000", "[::1]:5000", false),
            ("ftp://ghcr.io", "ghcr.io", true),
            ("https://ghcr.io:443?x", "ghcr.io:443", true),
            ("https://ann@ghcr.io/v2/", "ghcr.io", true),
            ("https://::1:5000/v2/", "[::1]:5000", true),
            ("https://[::1]:5000/v2/", "[::1]:5000", true),
            ("unix:///var/run/docker.sock", "ghcr.io", false),
            ("https://ghcr.io@evil.example/", "ghcr.io", false),
            ("ghcr.io.evil.example", "ghcr.io", false),
            ("", "ghcr.io", false),
            ("https://", "ghcr.io", false),
        ] {
            let scope = Scope::of(key);
            let holds = scope.holds(Some(&"library/debian".parse().unwrap()));
            let is_it = scope.host == host_of(registry) && holds;
            assert_eq!(is_it, found, "{key} for {registry}");
        }
    }
}
