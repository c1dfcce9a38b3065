//! A host of the test's own, made of Linux namespaces: its names, its `/etc`, its `/srv` and its loopback network, where
//! every port is free. So a test can use the names, ports and paths that a manual uses. What else is on the disk is this
//! machine's.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::program;
use super::server::wait_until;

/// The host. It ends when it is dropped, after the servers on it.
pub(crate) struct Host {
    /// Holds the namespaces open, until its standard input ends.
    holder: Child,
    directory: TempDir,
}

impl Host {
    /// A host that knows these names, which are its own.
    pub(crate) fn start(names: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let etc = directory.path().join("etc");
        program::run(Command::new("cp").args(["-a", "/etc"]).arg(&etc));
        fs::write(
            etc.join("hosts"),
            format!("127.0.0.1 localhost {}\n", names.join(" ")),
        )
        .unwrap();
        // Nobody answers for other names, and at once.
        fs::write(etc.join("resolv.conf"), "nameserver 127.0.0.1\n").unwrap();
        let srv = directory.path().join("srv");
        fs::create_dir(&srv).unwrap();
        let mut holder = Command::new("unshare")
            .args(["--mount", "--net", "sh", "-c"])
            .arg("mount --bind \"$0\" /etc && mount --bind \"$1\" /srv && ip link set lo up && echo ready && exec cat")
            .args([&etc, &srv])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(holder.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert_eq!(line, "ready\n", "no namespaces");
        Self { holder, directory }
    }

    /// A program on this host, in a directory.
    pub(crate) fn command(&self, name: &str, directory: &Path) -> Command {
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--target={}", self.holder.id()))
            .args(["--mount", "--net"])
            .arg(format!("--wdns={}", directory.display()))
            .args(["--", name]);
        command
    }

    /// A script of the shell on this host that alone knows these names, which are the host's own. Its `$1` and so on are
    /// still to be given.
    pub(crate) fn command_knowing(&self, names: &[&str], script: &str) -> Command {
        let hosts = self.directory.path().join("known-hosts");
        fs::write(&hosts, format!("127.0.0.1 {}\n", names.join(" "))).unwrap();
        let mut command = self.command("unshare", Path::new("/"));
        command
            .args(["--mount", "sh", "-c"])
            .arg(format!("mount --bind \"$0\" /etc/hosts && {script}"))
            .arg(hosts);
        command
    }

    /// Where this host's `/etc/…` is for the test.
    pub(crate) fn etc(&self, path: &str) -> PathBuf {
        self.directory.path().join("etc").join(path)
    }

    /// Where this host's `/srv/…` is for the test.
    pub(crate) fn srv(&self, path: &str) -> PathBuf {
        self.directory.path().join("srv").join(path)
    }

    /// Where servers may keep what they need.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Whether somebody listens at a port.
    pub(crate) fn listens(&self, port: u16) -> bool {
        program::output(
            self.command("bash", Path::new("/"))
                .args(["-c", &format!("</dev/tcp/127.0.0.1/{port}")]),
        )
        .status
        .success()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        if wait_until(|| !matches!(self.holder.try_wait(), Ok(None))).is_err() {
            let _ = self.holder.kill();
            let _ = self.holder.wait();
        }
    }
}
