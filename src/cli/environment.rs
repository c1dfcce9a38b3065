//! The names of the environment variables that hocker reads. An empty variable counts as unset, because Nix passes an
//! unset impure variable to a build as an empty one.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

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
/// Docker: the name of a docker context, which has a daemon's address.
pub(crate) const DOCKER_CONTEXT: &str = "DOCKER_CONTEXT";
/// Docker: if it is set, the connection to a daemon on a TCP port uses TLS.
pub(crate) const DOCKER_TLS_VERIFY: &str = "DOCKER_TLS_VERIFY";
/// Docker: the directory of `ca.pem`, `cert.pem` and `key.pem` for TLS to the daemon.
pub(crate) const DOCKER_CERT_PATH: &str = "DOCKER_CERT_PATH";
/// containerd: the path of its socket, or the socket as a URL.
pub(crate) const CONTAINERD_ADDRESS: &str = "CONTAINERD_ADDRESS";
/// containerd: the namespace of images and containers.
pub(crate) const CONTAINERD_NAMESPACE: &str = "CONTAINERD_NAMESPACE";
/// containerd: the name of the snapshotter that unpacks images.
pub(crate) const CONTAINERD_SNAPSHOTTER: &str = "CONTAINERD_SNAPSHOTTER";
/// XDG: the directory for files that last as long as the user's session.
pub(crate) const XDG_RUNTIME_DIR: &str = "XDG_RUNTIME_DIR";
/// XDG: the directory of configuration.
pub(crate) const XDG_CONFIG_HOME: &str = "XDG_CONFIG_HOME";
/// XDG: the directory of files that can be made again.
pub(crate) const XDG_CACHE_HOME: &str = "XDG_CACHE_HOME";
/// curl: the netrc file.
pub(crate) const NETRC: &str = "NETRC";
/// The user's home directory.
pub(crate) const HOME: &str = "HOME";
/// Nix: a PEM bundle of certificate authorities.
pub(crate) const NIX_SSL_CERT_FILE: &str = "NIX_SSL_CERT_FILE";
/// OpenSSL: a bundle of certificate authorities.
pub(crate) const SSL_CERT_FILE: &str = "SSL_CERT_FILE";
/// OpenSSL: directories with a file for each authority.
pub(crate) const SSL_CERT_DIR: &str = "SSL_CERT_DIR";

/// The proxy for http.
pub(crate) const HTTP_PROXY: [&str; 2] = ["http_proxy", "HTTP_PROXY"];
/// The proxy for https.
pub(crate) const HTTPS_PROXY: [&str; 2] = ["https_proxy", "HTTPS_PROXY"];
/// The proxy for http and https.
pub(crate) const ALL_PROXY: [&str; 2] = ["all_proxy", "ALL_PROXY"];
/// The hosts that hocker reaches without a proxy.
pub(crate) const NO_PROXY: [&str; 2] = ["no_proxy", "NO_PROXY"];
/// The value of `--retries`, for builds.
pub(crate) const HOCKER_RETRIES: &str = "HOCKER_RETRIES";
/// The value of `--retry-delay`, in seconds.
pub(crate) const HOCKER_RETRY_DELAY: &str = "HOCKER_RETRY_DELAY";
/// The value of `--stall-timeout`, in seconds.
pub(crate) const HOCKER_STALL_TIMEOUT: &str = "HOCKER_STALL_TIMEOUT";

/// The values of `--mirror`, separated by spaces.
pub(crate) const HOCKER_MIRRORS: &str = "HOCKER_MIRRORS";

/// The values of `--blobs-from`, separated by spaces.
pub(crate) const HOCKER_BLOBS_FROM: &str = "HOCKER_BLOBS_FROM";

/// GitHub: the base URL of its API. GitHub Actions sets it.
pub(crate) const GITHUB_API_URL: &str = "GITHUB_API_URL";
/// GitHub: tokens for its API, in the order of the program `gh`.
pub(crate) const GITHUB_TOKENS: [&str; 2] = ["GH_TOKEN", "GITHUB_TOKEN"];

/// Compose: the profiles whose services are included, separated by commas.
pub(crate) const COMPOSE_PROFILES: &str = "COMPOSE_PROFILES";

/// The environment variables of the process, or those of a test.
#[derive(Clone)]
pub(crate) struct Environment(Arc<Lookup>);

/// Finds the value of a variable.
type Lookup = dyn Fn(&str) -> Option<OsString> + Send + Sync;

impl Environment {
    /// The variables of the process.
    #[must_use]
    pub(crate) fn of_process() -> Self {
        Self(Arc::new(|name| std::env::var_os(name)))
    }

    /// The variables of a test.
    #[cfg(test)]
    pub(crate) fn of(variables: &[(&str, &str)]) -> Self {
        let variables: std::collections::HashMap<String, OsString> = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), OsString::from(value)))
            .collect();
        Self(Arc::new(move |name| variables.get(name).cloned()))
    }

    /// Returns the value of a variable, unless it is empty.
    pub(crate) fn var_os(&self, name: &str) -> Option<OsString> {
        (self.0)(name).filter(|value| !value.is_empty())
    }

    /// Returns the value of a variable, if it is UTF-8 and not empty.
    pub(crate) fn var(&self, name: &str) -> Option<String> {
        self.var_os(name)?.into_string().ok()
    }

    /// Returns the value of a variable as a path, unless it is empty.
    pub(crate) fn path(&self, name: &str) -> Option<PathBuf> {
        self.var_os(name).map(PathBuf::from)
    }

    /// Returns the directory for file system images of layers. A relative directory counts as unset.
    ///
    /// Source: XDG Base Directory Specification, section "Environment variables".
    #[cfg(target_os = "linux")]
    pub(crate) fn cache(&self) -> Option<PathBuf> {
        let cache = self.path(XDG_CACHE_HOME).filter(|path| path.is_absolute());
        let cache = cache.or_else(|| Some(self.path(HOME)?.join(".cache")))?;
        Some(cache.join("hocker/layers"))
    }

    /// Returns the value of a variable, if it is UTF-8, even if it is empty. Compose files distinguish empty and unset
    /// variables, and may name any variable.
    pub(crate) fn var_set(&self, name: &str) -> Option<String> {
        (self.0)(name)?.into_string().ok()
    }
}

/// The values may be secrets.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment")
    }
}
