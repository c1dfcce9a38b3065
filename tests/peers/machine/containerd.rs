//! containerd with its own data, and its client.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::mount_point::MountPoint;
use super::program;
use super::server::Server;

/// A daemon that has one mirror for each of some registries.
pub(crate) struct Containerd {
    /// Absent only while it is restarted.
    server: Option<Server>,
    socket: PathBuf,
    hosts: PathBuf,
    /// Unmounted after the server has ended, and before its directory is removed.
    _disk: Option<MountPoint>,
    directory: TempDir,
}

/// The line of the configuration without the runtime interface of Kubernetes.
const NO_KUBERNETES: &str = "disabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n";

impl Containerd {
    /// Starts it and waits until it answers. `mirror` is a URL.
    pub(crate) fn start(registries: &[&str], mirror: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        let hosts = path.join("hosts");
        for registry in registries {
            fs::create_dir_all(hosts.join(registry)).unwrap();
            fs::write(
                hosts.join(registry).join("hosts.toml"),
                format!("[host.\"{mirror}\"]\ncapabilities = [\"pull\", \"resolve\"]\n"),
            )
            .unwrap();
        }
        Self::serve(directory, None, NO_KUBERNETES)
    }

    /// Starts it with the runtime interface of Kubernetes, whose pods use this snapshotter.
    pub(crate) fn with_pods_on(snapshotter: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let networks = directory.path().join("networks");
        let networks = networks.to_str().unwrap();
        let interface = r#"plugins."io.containerd.grpc.v1.cri""#;
        let config = format!(
            "[{interface}.containerd]\nsnapshotter = {snapshotter:?}\n[{interface}.cni]\nconf_dir = {networks:?}\n"
        );
        Self::serve(directory, None, &config)
    }

    /// Starts it without the snapshotter that clients use by default.
    pub(crate) fn without_overlays() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let plugins = "disabled_plugins = [\"io.containerd.grpc.v1.cri\", \"io.containerd.snapshotter.v1.overlayfs\"]\n";
        Self::serve(directory, None, plugins)
    }

    /// Starts it with its data on a disk of this size in MiB.
    pub(crate) fn with_disk_of(megabytes: u32) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("root");
        let disk = MountPoint::with_disk_of(megabytes, root);
        Self::serve(directory, Some(disk), NO_KUBERNETES)
    }

    fn serve(directory: TempDir, disk: Option<MountPoint>, config: &str) -> Self {
        let path = directory.path();
        let config = format!("version = 2\n{config}");
        fs::write(path.join("config.toml"), config).unwrap();
        Self {
            server: Some(serve(path)),
            socket: path.join("containerd.sock"),
            hosts: path.join("hosts"),
            _disk: disk,
            directory,
        }
    }

    /// Ends it as `kill -9` does, and starts it again with the data that it had.
    pub(crate) fn kill_and_restart(&mut self) {
        self.server.take().unwrap().kill();
        self.server = Some(serve(self.directory.path()));
    }

    /// Where it listens.
    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// The same as `--host` takes it.
    pub(crate) fn host(&self) -> String {
        format!("containerd://{}", self.socket.display())
    }

    /// What `ctr` prints in a namespace.
    #[track_caller]
    pub(crate) fn ctr_in(&self, namespace: &str, arguments: &[&str]) -> String {
        let mut ctr = self.ctr();
        program::text(ctr.args(["--namespace", namespace]).args(arguments))
    }

    /// Lets it remove what nothing keeps.
    pub(crate) fn collect_garbage(&self, namespace: &str) {
        self.ctr_in(namespace, &["leases", "create", "--id", "collect"]);
        self.ctr_in(namespace, &["leases", "delete", "--sync", "collect"]);
    }

    /// What the image's own program prints.
    #[track_caller]
    pub(crate) fn run_image(&self, namespace: &str, image: &str) -> String {
        let name = self.container_name();
        self.ctr_in(namespace, &["run", "--rm", image, &name])
    }

    /// Runs an image with other user IDs, and returns the name of the container, which stays.
    #[track_caller]
    pub(crate) fn run_remapped(&self, namespace: &str, image: &str) -> String {
        let name = self.container_name();
        let ids = "0:100000:65536";
        let run = ["run", "--uidmap", ids, "--gidmap", ids, image, &name];
        self.ctr_in(namespace, &run);
        name
    }

    /// All containerd daemons of a machine share the directory in which runc knows containers.
    fn container_name(&self) -> String {
        let directory = self.socket.parent().unwrap().file_name().unwrap();
        directory.to_str().unwrap().replace('.', "")
    }

    /// Creates a container of an image, which does not run.
    #[track_caller]
    pub(crate) fn create_container(&self, namespace: &str, image: &str, name: &str) {
        self.ctr_in(namespace, &["containers", "create", image, name]);
    }

    /// `ctr …` against this daemon.
    pub(crate) fn ctr(&self) -> Command {
        ctr(&self.socket)
    }

    /// Pulls an image by its full name, and unpacks it.
    pub(crate) fn pull(&self, name: &str) {
        program::run(
            self.ctr()
                .args(["images", "pull", "--snapshotter", "native", "--hosts-dir"])
                .arg(&self.hosts)
                .arg(name),
        );
    }

    /// The digest of an image's manifest.
    pub(crate) fn digest(&self, name: &str) -> String {
        let list = program::text(
            self.ctr()
                .args(["images", "list", &format!("name=={name}")]),
        );
        let line = list.lines().nth(1).unwrap_or_else(|| panic!("no {name}"));
        line.split_whitespace().nth(2).unwrap().to_owned()
    }

    /// What it has under a digest.
    pub(crate) fn content(&self, digest: &str) -> Vec<u8> {
        program::run(self.ctr().args(["content", "get", digest]))
    }
}

/// Starts it with the files in a directory.
fn serve(directory: &Path) -> Server {
    let socket = directory.join("containerd.sock");
    let mut command = Command::new("containerd");
    command.arg("--config").arg(directory.join("config.toml"));
    for (option, name) in [("--root", "root"), ("--state", "state")] {
        command.arg(option).arg(directory.join(name));
    }
    command.arg("--address").arg(&socket);
    Server::start(&mut command, &directory.join("log"), || {
        let answer = program::output(ctr(&socket).arg("version"));
        socket.exists() && answer.status.success()
    })
}

fn ctr(socket: &Path) -> Command {
    let mut command = Command::new("ctr");
    command.arg("--address").arg(socket);
    command
}
