//! An image as a systemd service: the unit that its config means. The unit names no file system: the NixOS module adds
//! `RootImage=` and everything else that is not the image's.
//!
//! Source: systemd.service(5), systemd.exec(5), systemd.kill(5); OCI image specification, `conversion.md`; moby,
//! `daemon/oci_linux.go` and `daemon/container.go`, for what the config leaves out.

mod error;
mod path;
mod quote;
mod user;

use std::fmt::Write as _;

pub use self::error::Error;
pub use self::user::Users;

use self::path::{absolute, executable, search_path};
use self::quote::{argument, assignment, is_variable};
use crate::oci::runtime_config::RuntimeConfig;

/// The files of an image that [`Users`] reads, as paths below its root.
pub const USER_FILES: [&str; 2] = ["etc/passwd", "etc/group"];

/// The search path of Docker for images that set none.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What replaces the values of the image's config.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Replaces the entrypoint. The command of the image is then left out, as `docker run --entrypoint` does.
    pub entrypoint: Option<Vec<String>>,
    /// Replaces the command.
    pub command: Option<Vec<String>>,
    /// Replaces the user. systemd starts programs only as users and groups that the host has, so the caller must know the
    /// numbers: an image whose own user is not root is refused without this.
    pub user: Option<String>,
    /// Replaces the working directory.
    pub working_directory: Option<String>,
}

/// Returns the text of the unit for an image.
pub fn unit(config: &RuntimeConfig, overrides: &Overrides, users: &Users) -> Result<String, Error> {
    let directory = match &overrides.working_directory {
        Some(directory) => directory,
        None => &config.working_directory,
    };
    let directory = absolute("/", directory)?;
    let user = match &overrides.user {
        Some(user) => users.resolve(user)?,
        None => users.resolve(&config.user)?.require_root(&config.user)?,
    };
    let variable = |name: &str| {
        let values = config.environment.iter().rev();
        let mut values = values.filter_map(|variable| variable.split_once('='));
        values.find_map(|(found, value)| (found == name).then_some(value))
    };
    let path = variable("PATH").unwrap_or(DEFAULT_PATH);

    let mut text = String::from(
        "# hocker wrote this unit from the config of an image.\n[Service]\nType=exec\n",
    );
    let mut set = |key: &str, value: &str| {
        // Writing to a string never fails.
        let _ = writeln!(text, "{key}={value}");
    };
    set("ExecStart", &exec_start(config, overrides, &directory)?);
    if let Some(path) = search_path(path) {
        set("ExecSearchPath", &path);
    }
    set("WorkingDirectory", &path::value(&directory)?);
    if (user.user, user.group) != (0, 0) {
        set("User", &user.user.to_string());
        set("Group", &user.group.to_string());
    }
    if variable("PATH").is_none() {
        set("Environment", &assignment("PATH", DEFAULT_PATH));
    }
    if variable("HOME").is_none() {
        set("Environment", &assignment("HOME", &user.home));
    }
    for entry in &config.environment {
        let (name, value) = entry.split_once('=').unwrap_or((entry, ""));
        if is_variable(name, value) {
            set("Environment", &assignment(name, value));
        }
    }
    if !config.stop_signal.is_empty() {
        set("KillSignal", &signal(&config.stop_signal)?);
    }
    // Docker sends the signal to the first process alone.
    set("KillMode", "mixed");
    Ok(text)
}

fn exec_start(
    config: &RuntimeConfig,
    overrides: &Overrides,
    directory: &str,
) -> Result<String, Error> {
    let (entrypoint, command) = match (&overrides.entrypoint, &overrides.command) {
        (Some(entrypoint), command) => (entrypoint, command.as_deref().unwrap_or_default()),
        (None, Some(command)) => (&config.entrypoint, command.as_slice()),
        (None, None) => (&config.entrypoint, config.command.as_slice()),
    };
    let mut words = entrypoint.iter().chain(command);
    let program = words.next().ok_or(Error::NoCommand)?;
    let mut line = executable(program, directory)?;
    for word in words {
        line.push(' ');
        line.push_str(&argument(word)?);
    }
    Ok(line)
}

/// A signal as systemd names it, from the name or the number in a config.
fn signal(text: &str) -> Result<String, Error> {
    let invalid = || Error::Signal(text.to_owned());
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number = text
            .parse()
            .ok()
            .filter(|number| (1..=64u8).contains(number));
        return number.map(|number| number.to_string()).ok_or_else(invalid);
    }
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let is_name = name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.bytes().all(|byte| {
            byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"+-".contains(&byte)
        });
    is_name.then(|| format!("SIG{name}")).ok_or_else(invalid)
}

#[cfg(test)]
mod tests;
