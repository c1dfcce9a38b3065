//! dockerd with its own data, no network of its own, and a client that talks to it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use super::mount_point::MountPoint;
use super::program;
use super::server::Server;

/// A daemon.
pub(crate) struct Dockerd {
    server: Option<Server>,
    socket: PathBuf,
    arguments: Vec<String>,
    /// A daemon that is killed leaves its data mounted on itself.
    _data: MountPoint,
    directory: TempDir,
}

impl Dockerd {
    /// Starts it and waits until it answers.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same, with further arguments.
    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        Self::start_in(|_| arguments.iter().map(|&argument| argument.into()).collect())
    }

    /// The same with further arguments, which may name files in its directory.
    pub(crate) fn start_in(arguments: impl FnOnce(&Path) -> Vec<String>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let arguments = arguments(directory.path());
        let data = MountPoint::new(directory.path().join("data"));
        Self::serve(directory, data, arguments)
    }

    /// Starts it with its data on a disk of this size in MiB.
    pub(crate) fn with_disk_of(megabytes: u32) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let data = MountPoint::with_disk_of(megabytes, directory.path().join("data"));
        Self::serve(directory, data, Vec::new())
    }

    fn serve(directory: TempDir, data: MountPoint, arguments: Vec<String>) -> Self {
        let socket = directory.path().join("socket");
        let server = serve(directory.path(), &socket, &arguments);
        Self {
            server: Some(server),
            socket,
            arguments,
            _data: data,
            directory,
        }
    }

    /// Where it listens, as `DOCKER_HOST` says it.
    pub(crate) fn host(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// Ends it as `kill -9` does, and starts it again with the data that it had.
    pub(crate) fn kill_and_restart(&mut self) {
        self.server.take().unwrap().kill();
        // Its containerd ends with it. Where nobody collects the children of the dead, the number of that process
        // stays taken, and the next daemon would wait for it.
        std::fs::remove_dir_all(self.directory.path().join("exec")).unwrap();
        let path = self.directory.path();
        self.server = Some(serve(path, &self.socket, &self.arguments));
    }

    /// Where it listens.
    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// All that it has: images by id with their names, and the layers of its store.
    pub(crate) fn contents(&self) -> (Vec<String>, usize) {
        let format = "{{.ID}} {{.Repository}}:{{.Tag}}";
        let list = ["image", "ls", "--all", "--no-trunc", "--format", format];
        let images = program::text(self.docker().args(list));
        let mut images: Vec<_> = images.lines().map(str::to_owned).collect();
        images.sort();
        let layers = self
            .directory
            .path()
            .join("data/image/overlay2/layerdb/sha256");
        let layers = std::fs::read_dir(layers).map_or(0, Iterator::count);
        (images, layers)
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

fn serve(path: &Path, socket: &Path, arguments: &[String]) -> Server {
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
    Server::start(&mut command, &path.join("log"), || {
        socket.exists()
            && program::output(docker(socket).arg("version"))
                .status
                .success()
    })
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
