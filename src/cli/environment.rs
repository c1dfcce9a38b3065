//! The names of the environment variables that the program reads, and the rule that an empty one is unset:
//! so an unset impure variable arrives in a Nix build.

use std::ffi::OsString;

/// Classic: the user's name.
pub(crate) const DOCKER_USER: &str = "DOCKER_USER";
/// Classic: the password.
pub(crate) const DOCKER_PASS: &str = "DOCKER_PASS";
/// Classic: a bearer token.
pub(crate) const DOCKER_TOKEN: &str = "DOCKER_TOKEN";
/// Docker: credentials for registries, in JSON.
pub(crate) const DOCKER_AUTH_CONFIG: &str = "DOCKER_AUTH_CONFIG";
/// Containers: a file with credentials.
pub(crate) const REGISTRY_AUTH_FILE: &str = "REGISTRY_AUTH_FILE";
/// Docker: the directory of `config.json`, which holds credentials among other things.
pub(crate) const DOCKER_CONFIG: &str = "DOCKER_CONFIG";
/// Docker: the daemon's address.
pub(crate) const DOCKER_HOST: &str = "DOCKER_HOST";
/// Docker: the name of a daemon that `docker context` knows.
pub(crate) const DOCKER_CONTEXT: &str = "DOCKER_CONTEXT";
/// Docker: if it is set, a daemon on a port is spoken to by TLS.
pub(crate) const DOCKER_TLS_VERIFY: &str = "DOCKER_TLS_VERIFY";
/// Docker: the directory of `ca.pem`, `cert.pem` and `key.pem` for that.
pub(crate) const DOCKER_CERT_PATH: &str = "DOCKER_CERT_PATH";
/// XDG: the directory of what lasts as long as the user is logged in.
pub(crate) const XDG_RUNTIME_DIR: &str = "XDG_RUNTIME_DIR";
/// XDG: the directory of configuration.
pub(crate) const XDG_CONFIG_HOME: &str = "XDG_CONFIG_HOME";
/// curl: the netrc file.
pub(crate) const NETRC: &str = "NETRC";
/// The user's directory.
pub(crate) const HOME: &str = "HOME";
/// Nix: a PEM bundle of certificate authorities.
pub(crate) const NIX_SSL_CERT_FILE: &str = "NIX_SSL_CERT_FILE";
/// OpenSSL: the same.
pub(crate) const SSL_CERT_FILE: &str = "SSL_CERT_FILE";
/// OpenSSL: directories with a file for each authority.
pub(crate) const SSL_CERT_DIR: &str = "SSL_CERT_DIR";

/// The proxy for http.
pub(crate) const HTTP_PROXY: [&str; 2] = ["http_proxy", "HTTP_PROXY"];
/// The proxy for https.
pub(crate) const HTTPS_PROXY: [&str; 2] = ["https_proxy", "HTTPS_PROXY"];
/// The proxy for both.
pub(crate) const ALL_PROXY: [&str; 2] = ["all_proxy", "ALL_PROXY"];
/// What is reached without a proxy.
pub(crate) const NO_PROXY: [&str; 2] = ["no_proxy", "NO_PROXY"];
/// The same as `--retries`, for builds.
pub(crate) const HOCKER_RETRIES: &str = "HOCKER_RETRIES";
/// The same as `--retry-delay`.
pub(crate) const HOCKER_RETRY_DELAY: &str = "HOCKER_RETRY_DELAY";
/// The same as `--stall-timeout`.
pub(crate) const HOCKER_STALL_TIMEOUT: &str = "HOCKER_STALL_TIMEOUT";

/// The same as `--mirror`, several separated by spaces.
pub(crate) const HOCKER_MIRRORS: &str = "HOCKER_MIRRORS";

/// The same as `--blobs-from`, several separated by spaces.
pub(crate) const HOCKER_BLOBS_FROM: &str = "HOCKER_BLOBS_FROM";

/// Compose: the profiles whose services count, separated by commas.
pub(crate) const COMPOSE_PROFILES: &str = "COMPOSE_PROFILES";

/// A variable's value, if it is not empty.
#[must_use]
pub(crate) fn var_os(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// A variable's value, if it is text and not empty.
#[must_use]
pub(crate) fn var(name: &str) -> Option<String> {
    var_os(name)?.into_string().ok()
}

/// A variable's value, if it is text, empty or not: Compose files tell the two apart, and name variables of their
/// own.
#[must_use]
pub(crate) fn var_set(name: &str) -> Option<String> {
    std::env::var_os(name)?.into_string().ok()
}
