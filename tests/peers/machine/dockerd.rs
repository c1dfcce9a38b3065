//! dockerd with its own data, no network of its own, and a client that talks to it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use super::program;
use super::server::Server;

/// A daemon.
pub(crate) struct Dockerd {
    _server: Server,
    socket: PathBuf,
    _directory: TempDir,
}

impl Dockerd {
    /// Starts it and waits until it answers.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same, with further arguments.
    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        let socket = path.join("socket");
        let mut command = Command::new("dockerd");
        command
            .arg("--data-root")
            .arg(path.join("data"))
            .arg("--exec-root")
            .arg(path.join("exec"))
            .arg("--pidfile")
            .arg(path.join("pid"))
            .arg("--host")
            .arg(format!("unix://{}", socket.display()))
            .args(["--iptables=false", "--ip6tables=false", "--bridge=none"])
            .args(arguments);
        let server = Server::start(&mut command, &path.join("log"), || {
            socket.exists()
                && program::output(docker(&socket).arg("version"))
                    .status
                    .success()
        });
        Self {
            _server: server,
            socket,
            _directory: directory,
        }
    }

    /// Where it listens, as `DOCKER_HOST` says it.
    pub(crate) fn host(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// `docker …` against this daemon.
    pub(crate) fn docker(&self) -> Command {
        docker(&self.socket)
    }

    /// `docker load` of a file.
    pub(crate) fn load(&self, archive: &Path) -> Output {
        program::output(
            self.docker()
                .arg("load")
                .stdin(File::open(archive).unwrap()),
        )
    }

    /// An image's id.
    pub(crate) fn image_id(&self, image: &str) -> String {
        program::text(
            self.docker()
                .args(["image", "inspect", "--format", "{{.Id}}", image]),
        )
    }

    /// What the image's own program prints.
    pub(crate) fn run_image(&self, image: &str) -> String {
        program::text(
            self.docker()
                .args(["run", "--rm", "--network=none", "--pull=never", image]),
        )
    }
}

fn docker(socket: &Path) -> Command {
    let mut command = Command::new("docker");
    command
        .env_remove("DOCKER_CONTEXT")
        .env_remove("DOCKER_HOST")
        .arg("--host")
        .arg(format!("unix://{}", socket.display()));
    command
}
