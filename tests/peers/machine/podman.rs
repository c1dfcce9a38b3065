//! Podman's service with its own storage, and a client that talks to it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::program;
use super::server::Server;

/// A service.
pub(crate) struct Podman {
    _server: Server,
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
        let configuration = path.join("registries.conf");
        fs::write(&configuration, registries).unwrap();
        let mut command = Command::new("podman");
        command.env("CONTAINERS_REGISTRIES_CONF", configuration);
        for (option, name) in [
            ("--root", "root"),
            ("--runroot", "run"),
            ("--tmpdir", "tmp"),
        ] {
            command.arg(option).arg(path.join(name));
        }
        // What its defaults are made of, systemd and a filesystem that takes overlays among them, is not to be found on
        // every machine.
        command
            .args(["--cgroup-manager=cgroupfs", "--events-backend=file"])
            .args(["--storage-driver=vfs", "--runtime=runc"])
            .args(["system", "service", "--time=0"])
            .arg(format!("unix://{}", socket.display()));
        let server = Server::start(&mut command, &path.join("log"), || {
            socket.exists()
                && program::output(client(&socket).arg("version"))
                    .status
                    .success()
        });
        Self {
            _server: server,
            socket,
            directory,
        }
    }

    /// Where it listens, as `DOCKER_HOST` says it.
    pub(crate) fn host(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// Where it listens.
    pub(crate) fn socket(&self) -> &Path {
        &self.socket
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

fn client(socket: &Path) -> Command {
    let mut command = Command::new("podman");
    command
        .env_remove("CONTAINER_HOST")
        .args(["--remote", "--url"])
        .arg(format!("unix://{}", socket.display()));
    command
}
