//! Somebody's desk: a working directory on a host, with what the pages take for granted: a checkout's `nix`, a static
//! executable in `hocker/bin`, and Nix.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::host::Host;
use super::nix::{Nix, root};
use super::program;

/// The desk, and the host on which it stands.
pub(crate) struct Desk {
    host: Host,
    nix: Nix,
}

impl Desk {
    /// A desk on a host.
    pub(crate) fn on(host: Host) -> Self {
        let nix = Nix::new();
        let directory = nix.directory();
        // The builders of a daemon are other users.
        fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
        symlink(root().join("nix"), directory.join("nix")).unwrap();
        fs::create_dir_all(host.etc("nix")).unwrap();
        fs::create_dir(directory.join("run")).unwrap();
        Self { host, nix }
    }

    /// The working directory.
    pub(crate) fn directory(&self) -> &Path {
        self.nix.directory()
    }

    /// The host.
    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    /// Its Nix.
    pub(crate) fn nix(&self) -> &Nix {
        &self.nix
    }

    /// The settings of its Nix, with further lines.
    pub(crate) fn nix_config(&self, further: &str) -> String {
        let variables = self.nix.variables();
        let config = variables.iter().find(|(name, _)| *name == "NIX_CONFIG");
        format!("{}{further}", config.unwrap().1.to_str().unwrap())
    }

    /// Writes a file, below the host's `/etc` or `/srv`, or in the working directory.
    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Where a file is for the test.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        if let Some(rest) = path.strip_prefix("/etc/") {
            self.host.etc(rest)
        } else if let Some(rest) = path.strip_prefix("/srv/") {
            self.host.srv(rest)
        } else {
            self.directory().join(path)
        }
    }

    /// Runs a script as someone at the desk would, with nothing of this machine's environment.
    pub(crate) fn shell(&self, script: &str, variables: &[(&str, &str)]) -> Output {
        program::output(&mut self.command(script, variables))
    }

    /// The same, to be started.
    pub(crate) fn command(&self, script: &str, variables: &[(&str, &str)]) -> Command {
        let directory = self.directory();
        let mut path = OsString::from(directory.join("bin"));
        path.push(":");
        path.push(directory.join("hocker/bin"));
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let mut command = self.host.command("bash", directory);
        command
            .args(["-eu", "-o", "pipefail", "-c", script])
            .env_clear()
            .envs(self.nix.variables())
            .env("NIX_CONF_DIR", "/etc/nix")
            .env("PATH", path)
            .env("XDG_RUNTIME_DIR", directory.join("run"))
            .env("HOCKER_RETRY_DELAY", "0.01")
            .envs(variables.iter().copied());
        command
    }

    /// Forgets what was built.
    pub(crate) fn forget(&self) {
        let directory = self.directory();
        program::run(
            Command::new("sh")
                .args(["-c", "chmod -R u+w store; rm -rf store var log result"])
                .current_dir(directory),
        );
    }
}
