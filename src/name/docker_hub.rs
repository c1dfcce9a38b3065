//! Docker Hub: the one registry that is known by several names.
//!
//! Sources: github.com/distribution/reference, `normalize.go`; moby, `registry/config.go`; docker/cli,
//! `cli/config/credentials`.

/// The name that references use, and the registry of a reference that names none.
pub const DOCKER_HUB: &str = "docker.io";

/// The host that serves the first version of the interface. References may use it in place of [`DOCKER_HUB`].
pub const INDEX: &str = "index.docker.io";

/// The host that serves images.
pub const HOST: &str = "registry-1.docker.io";

/// The key under which docker keeps the credentials, in its file and with helpers.
pub const CREDENTIALS_KEY: &str = "https://index.docker.io/v1/";

/// All names of Docker Hub, that of references first.
pub const NAMES: [&str; 3] = [DOCKER_HUB, INDEX, HOST];

/// [`DOCKER_HUB`] for each of its names, and every other registry's name unchanged.
#[must_use]
pub fn canonical(registry: &str) -> &str {
    if NAMES.contains(&registry) {
        DOCKER_HUB
    } else {
        registry
    }
}
