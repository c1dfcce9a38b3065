//! The job of a derivation that makes the systemd unit of an image.

use std::fs;
use std::io;
use std::path::PathBuf;

use serde::Deserialize;

use crate::nix::service::{Overrides, Users};

/// A unit to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceJob {
    /// The output path of a directory, in which the unit is `lib/systemd/system/<name>.service`.
    pub out: PathBuf,
    /// The name of the service.
    pub name: String,
    /// The result of `fetchdocker`.
    pub image: PathBuf,
    /// A directory with the image's `passwd` and `group`, as far as it has them.
    pub users: PathBuf,
    /// What replaces the values of the image's config.
    pub overrides: Overrides,
}

/// The service as the derivation's attribute `imageService` describes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawService {
    name: String,
    image: PathBuf,
    users: PathBuf,
    entrypoint: Option<Vec<String>>,
    command: Option<Vec<String>>,
    user: Option<String>,
    working_directory: Option<String>,
}

impl ServiceJob {
    pub(super) fn of(raw: RawService, out: PathBuf) -> Self {
        Self {
            out,
            name: raw.name,
            image: raw.image,
            users: raw.users,
            overrides: Overrides {
                entrypoint: raw.entrypoint,
                command: raw.command,
                user: raw.user,
                working_directory: raw.working_directory,
            },
        }
    }

    /// Reads the users of the image.
    pub fn read_users(&self) -> io::Result<Users> {
        let read = |name: &str| match fs::read(self.users.join(name)) {
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            Err(error) => Err(error),
        };
        Ok(Users::parse(&read("passwd")?, &read("group")?))
    }
}
