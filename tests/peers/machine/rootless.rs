//! A user who exists only for a test, with podman of their own: without root, in their own storage, with a socket in
//! their runtime directory.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::program;
use super::server::{Server, wait_until};

/// The user's ID. Nobody on the machine has it, and its files are in the test's directory.
pub(crate) const USER_ID: u32 = 54_321;

/// Shows a program the user, in files and mounts that only it sees. `$0` is the directory.
const ENTER: &str = r#"
for name in passwd group subuid subgid; do
  mount --bind "$0/etc/$name" "/etc/$name"
done
mkdir -p /run/user
mount -t tmpfs -o mode=755 tmpfs /run/user
mkdir /run/user/54321
mount --bind "$0/run" /run/user/54321
exec "$@"
"#;

/// Hides all home directories, as `ProtectHome=tmpfs` of systemd does, and shows the runtime directory, as `BindPaths=`.
const HIDE: &str = r#"
for directory in /home /root; do
  mount -t tmpfs tmpfs "$directory"
done
exec "$@"
"#;

/// What a systemd of the user needs: control groups that it may divide, and the mark of a system that systemd booted.
/// `$0` is the directory.
const BOOTED: &str = r#"
for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
  if [ -e "$hierarchy/cgroup.procs" ]; then
    group=$hierarchy/hocker${0##*/}
    mkdir -p "$group"
    chown -R 54321:54321 "$group"
    echo $$ >"$group/cgroup.procs"
  fi
done
mkdir -p "$0/systemd/system" /run/systemd
mount --bind "$0/systemd" /run/systemd
exec "$@"
"#;

/// The user.
pub(crate) struct Rootless {
    directory: TempDir,
}

impl Rootless {
    /// Creates the user.
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        let home = path.join("home");
        let etc = path.join("etc");
        let configuration = home.join(".config/containers");
        for created in [&etc, &configuration, &path.join("run")] {
            fs::create_dir_all(created).unwrap();
        }
        for (name, line) in [
            (
                "passwd",
                format!("ann:x:{USER_ID}:{USER_ID}::{}:/bin/sh", home.display()),
            ),
            ("group", format!("ann:x:{USER_ID}:")),
            ("subuid", "ann:1000000000:65536".into()),
            ("subgid", "ann:1000000000:65536".into()),
        ] {
            let others = match name {
                "passwd" | "group" => fs::read_to_string(format!("/etc/{name}")).unwrap(),
                _ => String::new(),
            };
            fs::write(etc.join(name), format!("{others}{line}\n")).unwrap();
        }
        // What podman finds by itself, systemd and overlays among them, is not on every machine.
        fs::write(
            configuration.join("containers.conf"),
            "[engine]\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\nruntime = \"runc\"\n",
        )
        .unwrap();
        fs::write(
            configuration.join("storage.conf"),
            "[storage]\ndriver = \"vfs\"\n",
        )
        .unwrap();
        for owned in [
            path.join("run"),
            home.clone(),
            home.join(".config"),
            configuration.clone(),
        ] {
            chown(&owned, Some(USER_ID), Some(USER_ID)).unwrap();
            fs::set_permissions(&owned, fs::Permissions::from_mode(0o700)).unwrap();
        }
        Self { directory }
    }

    /// The user's home directory.
    pub(crate) fn home(&self) -> PathBuf {
        self.directory.path().join("home")
    }

    /// The user's runtime directory, as the user sees it.
    pub(crate) fn runtime() -> String {
        format!("/run/user/{USER_ID}")
    }

    /// A program that the user runs.
    pub(crate) fn command(&self, name: &str) -> Command {
        self.entered(&[], name)
    }

    /// A program that the user runs and that sees no home directory.
    pub(crate) fn without_homes(&self, name: &str) -> Command {
        self.entered(&["sh", "-euc", HIDE, "sh"], name)
    }

    /// Starts the user's systemd, with the units in `~/.config/systemd/user`.
    #[track_caller]
    pub(crate) fn manager(&self) -> Manager<'_> {
        let socket = self.directory.path().join("run/systemd/private");
        let mut command = self.booted("/lib/systemd/systemd");
        command.arg("--user");
        let log = self.directory.path().join("systemd.log");
        Manager {
            server: Some(Server::start(&mut command, &log, || socket.exists())),
            user: self,
        }
    }

    fn booted(&self, name: &str) -> Command {
        let directory = self.directory.path().to_str().unwrap();
        self.entered(&["sh", "-euc", BOOTED, directory], name)
    }

    fn entered(&self, first: &[&str], name: &str) -> Command {
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "--propagation", "private"])
            .args(["sh", "-euc", ENTER])
            .arg(self.directory.path())
            .args(first)
            .arg("setpriv")
            .args(["--reuid", &USER_ID.to_string()])
            .args(["--regid", &USER_ID.to_string()])
            .args(["--clear-groups", "--inh-caps=-all"])
            .args(["env", "-i", "USER=ann"])
            .arg(format!("HOME={}", self.home().display()))
            .arg(format!("XDG_RUNTIME_DIR={}", Self::runtime()))
            .arg("PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
            .arg(name)
            .current_dir("/");
        command
    }

    /// `podman …` of the user, in their storage.
    pub(crate) fn podman(&self) -> Command {
        self.command("podman")
    }

    /// Starts a program that listens on this socket, given relative to the runtime directory.
    #[track_caller]
    pub(crate) fn serve(&self, socket: &str, words: &[&str]) -> Server {
        let outside = self.directory.path().join("run").join(socket);
        Self::make_directory(outside.parent().unwrap());
        let mut command = self.command(words[0]);
        command.args(&words[1..]);
        Server::start(&mut command, &self.directory.path().join("log"), || {
            outside.exists()
        })
    }

    /// Makes a directory that belongs to the user.
    pub(crate) fn make_directory(directory: &Path) {
        fs::create_dir_all(directory).unwrap();
        chown(directory, Some(USER_ID), Some(USER_ID)).unwrap();
    }

    /// What a container of an image prints.
    #[track_caller]
    pub(crate) fn run_image(&self, image: &str) -> String {
        program::text(
            self.podman()
                .args(["run", "--rm", "--pull=never", "--network=none"])
                .args(["--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024"])
                .arg(image),
        )
    }

    /// Whether the user's podman has an image.
    pub(crate) fn has(&self, image: &str) -> bool {
        program::output(self.podman().args(["image", "exists", image]))
            .status
            .success()
    }
}

impl Rootless {
    /// Ends all processes that the user still has: those that keep the namespaces of podman, and a service that podman
    /// started again in its own namespace, which does not always end with the first.
    fn end_processes(&self) {
        let home = format!("HOME={}", self.home().display());
        for process in fs::read_dir("/proc").unwrap().flatten() {
            let pid = process
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok());
            // A process may end meanwhile.
            let environment = fs::read(process.path().join("environ")).unwrap_or_default();
            let is_of_user = environment
                .split(|byte| *byte == 0)
                .any(|entry| entry == home.as_bytes());
            if let Some(pid) = pid.and_then(Pid::from_raw)
                && is_of_user
            {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }
}

impl Drop for Rootless {
    fn drop(&mut self) {
        self.end_processes();
    }
}

/// The systemd of the user.
pub(crate) struct Manager<'a> {
    server: Option<Server>,
    user: &'a Rootless,
}

impl Manager<'_> {
    /// `systemctl --user …`, which must succeed.
    #[track_caller]
    pub(crate) fn systemctl(&self, arguments: &[&str]) {
        program::run(self.user.booted("systemctl").arg("--user").args(arguments));
    }
}

impl Drop for Manager<'_> {
    fn drop(&mut self) {
        self.server = None;
        self.user.end_processes();
        let name = self.user.directory.path().file_name().unwrap();
        let group = format!("hocker{}", name.display());
        for hierarchy in ["", "systemd", "unified"] {
            let group = Path::new("/sys/fs/cgroup").join(hierarchy).join(&group);
            // Processes that ended a moment ago are still in it.
            let _ = wait_until(|| !group.exists() || remove_group(&group).is_ok());
        }
    }
}

/// Removes a control group and those in it.
fn remove_group(group: &Path) -> io::Result<()> {
    for entry in fs::read_dir(group)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_group(&entry.path())?;
        }
    }
    fs::remove_dir(group)
}
