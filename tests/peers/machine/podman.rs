//! Podman's service with its own storage, and a client that talks to it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::program;
use super::server::Server;

/// The name of its `registries.conf`.
const REGISTRIES: &str = "registries.conf";

/// A service.
pub(crate) struct Podman {
    server: Option<Server>,
    socket: PathBuf,
    directory: TempDir,
}

impl Podman {
    /// Starts it and waits until it answers.
    pub(crate) fn start() -> Self {
        Self::start_with("")
    }

    /// The same, with a `registries.conf`.
    pub(crate) fn start_with(registries: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        let socket = path.join("socket");
        fs::write(path.join(REGISTRIES), registries).unwrap();
        let server = serve(path, &socket);
        Self {
            server: Some(server),
            socket,
            directory,
        }
    }

    /// Ends it as `kill -9` does, and starts it again with the data that it had.
    pub(crate) fn kill_and_restart(&mut self) {
        self.server.take().unwrap().kill();
        self.server = Some(serve(self.directory.path(), &self.socket));
    }

    /// Where it listens, as `DOCKER_HOST` says it.
    pub(crate) fn host(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// Where it listens.
    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// Removes the manifest of an image from its storage, as if the image had been written in part.
    pub(crate) fn lose_manifest(&self, id: &str) {
        let image = self.directory.path().join("root/vfs-images").join(id);
        fs::remove_file(image.join("manifest")).unwrap();
    }

    /// The number of layers in its storage.
    pub(crate) fn layers(&self) -> usize {
        let layers = self.directory.path().join("root/vfs-layers/layers.json");
        let layers = fs::read(layers).unwrap_or_else(|_| b"[]".to_vec());
        serde_json::from_slice::<Vec<serde_json::Value>>(&layers)
            .unwrap()
            .len()
    }

    /// `podman …` against this service.
    pub(crate) fn podman(&self) -> Command {
        client(&self.socket)
    }
}

/// Lets podman keep everything in a directory.
pub(crate) fn keep_in(podman: &mut Command, directory: &Path) {
    for (option, name) in [
        ("--root", "root"),
        ("--runroot", "run"),
        ("--tmpdir", "tmp"),
    ] {
        podman.arg(option).arg(directory.join(name));
    }
}

fn serve(path: &Path, socket: &Path) -> Server {
    let mut command = Command::new("podman");
    command.env("CONTAINERS_REGISTRIES_CONF", path.join(REGISTRIES));
    keep_in(&mut command, path);
    // What its defaults are made of, systemd and a filesystem that takes overlays among them, is not to be found on
    // every machine.
    command
        .args(["--cgroup-manager=cgroupfs", "--events-backend=file"])
        .args(["--storage-driver=vfs", "--runtime=runc"])
        .args(["system", "service", "--time=0"])
        .arg(format!("unix://{}", socket.display()));
    Server::start(&mut command, &path.join("log"), || {
        socket.exists()
            && program::output(client(socket).arg("version"))
                .status
                .success()
    })
}

fn client(socket: &Path) -> Command {
    let mut command = Command::new("podman");
    command
        .env_remove("CONTAINER_HOST")
        .args(["--remote", "--url"])
        .arg(format!("unix://{}", socket.display()));
    command
}
