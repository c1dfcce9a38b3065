//! The names of the environment variables that the program reads, and the rule that an empty one is unset:
//! so an unset impure variable arrives in a Nix build.

use std::ffi::OsString;

/// Classic: the user's name.
pub const DOCKER_USER: &str = "DOCKER_USER";
/// Classic: the password.
pub const DOCKER_PASS: &str = "DOCKER_PASS";
/// Classic: a bearer token.
pub const DOCKER_TOKEN: &str = "DOCKER_TOKEN";
/// Nix: a PEM bundle of certificate authorities.
pub const NIX_SSL_CERT_FILE: &str = "NIX_SSL_CERT_FILE";
/// OpenSSL: the same.
pub const SSL_CERT_FILE: &str = "SSL_CERT_FILE";

/// The same as `--retries`, for builds.
pub const HOCKER_RETRIES: &str = "HOCKER_RETRIES";
/// The same as `--retry-delay`.
pub const HOCKER_RETRY_DELAY: &str = "HOCKER_RETRY_DELAY";
/// The same as `--stall-timeout`.
pub const HOCKER_STALL_TIMEOUT: &str = "HOCKER_STALL_TIMEOUT";

/// A variable's value, if it is not empty.
#[must_use]
pub fn var_os(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// A variable's value, if it is text and not empty.
#[must_use]
pub fn var(name: &str) -> Option<String> {
    var_os(name)?.into_string().ok()
}
