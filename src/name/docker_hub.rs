//! Docker Hub: the only registry with several names.
//!
//! Sources: github.com/distribution/reference, `normalize.go`; moby, `registry/config.go`; docker/cli,
//! `cli/config/credentials`.

/// The name in references, and the registry of a reference without a registry.
pub const DOCKER_HUB: &str = "docker.io";

/// The host of version 1 of the API. A reference may name it instead of [`DOCKER_HUB`].
pub const INDEX: &str = "index.docker.io";

/// The host of version 2 of the API, which serves images.
pub const HOST: &str = "registry-1.docker.io";

/// The key under which docker stores the credentials, in its file and in credential helpers.
pub const CREDENTIALS_KEY: &str = "https://index.docker.io/v1/";

/// All names of Docker Hub; the first is the name in references.
pub const NAMES: [&str; 3] = [DOCKER_HUB, INDEX, HOST];

/// Returns [`DOCKER_HUB`] for each name of Docker Hub, and any other name unchanged.
#[must_use]
pub fn canonical(registry: &str) -> &str {
    if NAMES.contains(&registry) {
        DOCKER_HUB
    } else {
        registry
    }
}
