//! What can hold images here: Docker with each image store that its version has, and Podman. Their clients take the
//! same words.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::dockerd::Dockerd;
use super::podman::Podman;
use super::program;

/// Docker reads zstd layers from this version on.
const ZSTD_SINCE: u32 = 23;
/// Docker has containerd's image store, and calls images in it as others do, from this version on.
const CONTAINERD_SINCE: u32 = 24;

/// Where a daemon keeps images, on which depends how it names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    /// Docker's own.
    Docker,
    /// containerd's, in Docker.
    Containerd,
    /// Podman's.
    Podman,
}

/// A daemon.
pub(crate) struct Daemon {
    engine: Engine,
    store: Store,
    version: String,
}

enum Engine {
    Docker(Dockerd),
    Podman(Podman),
}

impl Daemon {
    /// One of each kind.
    pub(crate) fn all() -> Vec<Self> {
        let docker = Self::new(Engine::Docker(Dockerd::start()), Store::Docker);
        let has_containerds = docker.major() >= CONTAINERD_SINCE;
        let podman = Self::of_podman(Podman::start());
        let mut all = vec![docker, podman];
        if has_containerds {
            let dockerd = Dockerd::start_in(|directory| {
                let file = directory.join("daemon.json");
                let features = r#"{"features": {"containerd-snapshotter": true}}"#;
                fs::write(&file, features).unwrap();
                vec![format!("--config-file={}", file.display())]
            });
            all.push(Self::new(Engine::Docker(dockerd), Store::Containerd));
        }
        all
    }

    /// Podman, as it was started.
    pub(crate) fn of_podman(podman: Podman) -> Self {
        Self::new(Engine::Podman(podman), Store::Podman)
    }

    fn new(engine: Engine, store: Store) -> Self {
        let mut daemon = Self {
            engine,
            store,
            version: String::new(),
        };
        let format = "{{.Server.Version}}";
        daemon.version = program::text(daemon.client().args(["version", "--format", format]));
        daemon
    }

    fn major(&self) -> u32 {
        self.version.split('.').next().unwrap().parse().unwrap()
    }

    /// Its name for people.
    pub(crate) fn name(&self) -> String {
        let version = &self.version;
        match self.store {
            Store::Docker => format!("dockerd {version}"),
            Store::Containerd => format!("dockerd {version}, containerd's store"),
            Store::Podman => format!("podman {version}"),
        }
    }

    /// Where it keeps images.
    pub(crate) fn store(&self) -> Store {
        self.store
    }

    /// Whether it reads zstd layers.
    pub(crate) fn reads_zstd(&self) -> bool {
        self.store == Store::Podman || self.major() >= ZSTD_SINCE
    }

    /// Where it listens, as `DOCKER_HOST` says it.
    pub(crate) fn host(&self) -> String {
        match &self.engine {
            Engine::Docker(dockerd) => dockerd.host(),
            Engine::Podman(podman) => podman.host(),
        }
    }

    /// The path by which it is asked to fetch an image, if it is.
    pub(crate) fn pull(&self) -> Option<&'static str> {
        match self.store {
            Store::Docker => None,
            Store::Containerd => Some("/images/create?"),
            Store::Podman => Some("/libpod/images/pull?"),
        }
    }

    /// Its client.
    pub(crate) fn client(&self) -> Command {
        match &self.engine {
            Engine::Docker(dockerd) => dockerd.docker(),
            Engine::Podman(podman) => podman.podman(),
        }
    }

    /// Its client's `load`.
    pub(crate) fn load(&self, archive: impl Into<Stdio>) -> Output {
        program::output(self.client().arg("load").stdin(archive))
    }

    /// What it says of an image.
    #[track_caller]
    pub(crate) fn inspect(&self, image: &str, format: &str) -> String {
        let command = ["image", "inspect", "--format", format, image];
        program::text(self.client().args(command))
    }

    /// Where it listens.
    pub(crate) fn socket(&self) -> &Path {
        match &self.engine {
            Engine::Docker(dockerd) => dockerd.socket(),
            Engine::Podman(podman) => podman.socket(),
        }
    }

    /// Ends it as `kill -9` does, and starts it again with the data that it had.
    pub(crate) fn kill_and_restart(&mut self) {
        match &mut self.engine {
            Engine::Docker(dockerd) => dockerd.kill_and_restart(),
            Engine::Podman(podman) => podman.kill_and_restart(),
        }
    }

    /// All that it has: images by id with their names, as Docker spells them, and how many layers, where it keeps them
    /// itself.
    pub(crate) fn contents(&self) -> (Vec<String>, usize) {
        let podman = match &self.engine {
            Engine::Docker(dockerd) => return dockerd.contents(),
            Engine::Podman(podman) => podman,
        };
        let format = "{{.ID}} {{.Repository}}:{{.Tag}}";
        let list = ["image", "ls", "--all", "--no-trunc", "--format", format];
        let images = program::text(podman.podman().args(list));
        let mut images: Vec<_> = images
            .lines()
            .map(|line| line.replace(" docker.io/library/", " "))
            .collect();
        images.sort();
        (images, podman.layers())
    }

    /// An image's id, as a digest.
    #[track_caller]
    pub(crate) fn image_id(&self, image: &str) -> String {
        let id = self.inspect(image, "{{.Id}}");
        // Podman leaves the algorithm out.
        if id.contains(':') {
            id
        } else {
            format!("sha256:{id}")
        }
    }

    /// All images, by their ids.
    pub(crate) fn images(&self) -> String {
        program::text(self.client().args(["image", "ls", "--quiet"]))
    }

    /// What the image's own program prints.
    #[track_caller]
    pub(crate) fn run(&self, image: &str) -> Output {
        let mut client = self.client();
        client.args(["run", "--rm", "--network=none", "--pull=never"]);
        if self.store == Store::Podman {
            // By default it raises limits, which takes privileges that not every machine gives.
            client.args(["--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024"]);
        }
        program::output(client.arg(image))
    }

    /// Forgets an image.
    #[track_caller]
    pub(crate) fn remove(&self, image: &str) {
        program::run(self.client().args(["image", "rm", "--force", image]));
    }
}
