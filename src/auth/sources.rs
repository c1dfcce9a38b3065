//! Sources: the variable and the files in which hocker looks for credentials, in order. The first one with credentials
//! for the repository wins. The caller chooses the sources.

use std::error::Error as _;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::docker_config::{self, DockerConfig};
use super::helper::{self, Helpers};
use super::{Credentials, Origin, Proof, credentials_file, netrc};
use crate::input;
use crate::name::{RegistryName, Repository};
use crate::secret::Secret;

/// The maximum size of a file: 1 MiB.
const LIMIT: u64 = 1 << 20;

/// The sources of credentials.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The variable, which is read before all files.
    pub variable: Option<Variable>,
    /// The files, in order.
    pub files: Vec<SourceFile>,
    /// How to run the credential helpers that files name.
    pub helpers: Helpers,
}

/// A variable in the format of docker's `DOCKER_AUTH_CONFIG`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// The name of the variable.
    pub name: &'static str,
    /// The value of the variable.
    pub value: Secret,
}

/// A file that may contain credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// The path of the file.
    pub path: PathBuf,
    /// The format of the file.
    pub format: Format,
    /// Whether the file must exist.
    pub presence: Presence,
    /// Whether the file may be a pipe, such as `<(…)` in a shell. All other files must be regular files, because
    /// reading a FIFO may never end.
    pub may_be_pipe: bool,
}

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Docker's `config.json` or podman's `auth.json`.
    DockerConfig,
    /// The netrc file.
    Netrc,
    /// The classic credentials file, which is for any registry.
    Classic,
}

/// Whether a file must exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// The file may be absent.
    Optional,
    /// The file may be absent, but its directory must exist, because the user named it.
    NeedsDirectory,
    /// The file must exist, because the user named it.
    Required,
}

/// The result of looking for credentials in one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceOutcome {
    /// The file does not exist.
    Absent,
    /// The source has no entry for the registry or repository.
    NoEntry,
    /// The source has credentials.
    Credentials(Credentials),
    /// The credential helper failed, or the variable cannot be parsed. hocker continues with the next source, as Docker
    /// 28 does, because a public image needs no credentials.
    Unanswered {
        /// The reason in one line, without secrets.
        reason: String,
    },
    /// The file cannot be read or parsed.
    Unusable,
}

impl Sources {
    /// Returns the credentials for a repository of a registry; without a repository, for the registry as a whole.
    ///
    /// # Errors
    ///
    /// [`Error`] for a file that cannot be read or parsed, and for a required file that is absent.
    pub async fn find(
        &self,
        registry: &RegistryName,
        repository: Option<&Repository>,
    ) -> Result<Option<Credentials>, Error> {
        self.search(registry, repository, &mut |_, _| ()).await
    }

    /// Does the same as [`find`](Self::find), and reports the name and the result of each source.
    pub async fn search(
        &self,
        registry: &RegistryName,
        repository: Option<&Repository>,
        report: &mut (dyn FnMut(&str, &SourceOutcome) + Send),
    ) -> Result<Option<Credentials>, Error> {
        if let Some(variable) = &self.variable {
            let outcome = variable.find(registry, repository);
            report(&variable.place(), &outcome);
            if let SourceOutcome::Credentials(credentials) = outcome {
                return Ok(Some(credentials));
            }
        }
        for file in &self.files {
            let place = file.path.display().to_string();
            let outcome = match self.find_in(file, registry, repository).await {
                Ok(outcome) => outcome,
                Err(reason) => {
                    report(&place, &SourceOutcome::Unusable);
                    let path = file.path.clone();
                    return Err(Error { path, reason });
                }
            };
            report(&place, &outcome);
            if let SourceOutcome::Credentials(credentials) = outcome {
                return Ok(Some(credentials));
            }
        }
        Ok(None)
    }

    /// Returns the names of the sources, in order.
    #[must_use]
    pub fn places(&self) -> Vec<String> {
        let files = self
            .files
            .iter()
            .map(|file| file.path.display().to_string());
        let variable = self.variable.iter().map(Variable::place);
        variable.chain(files).collect()
    }

    async fn find_in(
        &self,
        file: &SourceFile,
        registry: &RegistryName,
        repository: Option<&Repository>,
    ) -> Result<SourceOutcome, Reason> {
        let Some(text) = file.read()? else {
            return Ok(SourceOutcome::Absent);
        };
        let mut unanswered = None;
        let proof: Option<Proof> = match file.format {
            Format::Netrc => netrc::find(&text, registry)?,
            Format::Classic => Some(credentials_file::parse(&text)?),
            Format::DockerConfig => {
                let config = DockerConfig::parse(&text)?;
                if let Some(name) = config.helper(registry) {
                    match self.helpers.ask(name, registry).await {
                        Ok(Some((program, proof))) => {
                            let file = file.path.clone();
                            let origin = Origin::Helper { program, file };
                            return Ok(SourceOutcome::Credentials(Credentials { proof, origin }));
                        }
                        Ok(None) => {}
                        Err(error) => unanswered = Some(line(&error)),
                    }
                }
                config.proof(registry, repository)?
            }
        };
        Ok(match (proof, unanswered) {
            (Some(proof), _) => SourceOutcome::Credentials(Credentials {
                proof,
                origin: Origin::File(file.path.clone()),
            }),
            (None, Some(reason)) => SourceOutcome::Unanswered { reason },
            (None, None) => SourceOutcome::NoEntry,
        })
    }
}

/// Returns a helper's error and its cause in one line.
fn line(error: &helper::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

impl Variable {
    fn place(&self) -> String {
        Origin::Variable(self.name).to_string()
    }

    fn find(&self, registry: &RegistryName, repository: Option<&Repository>) -> SourceOutcome {
        let found = DockerConfig::parse_variable(self.value.expose())
            .and_then(|config| config.proof(registry, repository));
        match found {
            Ok(None) => SourceOutcome::NoEntry,
            Ok(Some(proof)) => SourceOutcome::Credentials(Credentials {
                proof,
                origin: Origin::Variable(self.name),
            }),
            Err(error) => SourceOutcome::Unanswered {
                reason: error.to_string(),
            },
        }
    }
}

impl SourceFile {
    /// Returns whether the file or its directory must exist, but is absent.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        match self.presence {
            Presence::Optional => false,
            Presence::NeedsDirectory => !self.path.parent().is_some_and(Path::exists),
            Presence::Required => !self.path.exists(),
        }
    }

    fn read(&self) -> Result<Option<String>, Reason> {
        let opened = if self.may_be_pipe {
            File::open(&self.path)
        } else {
            input::open(&self.path)
        };
        let file = match opened {
            Ok(file) => file,
            Err(error) if is_absent(&error) && !self.is_missing() => return Ok(None),
            Err(error) => return Err(Reason::Read(error)),
        };
        let mut bytes = Vec::new();
        file.take(LIMIT + 1)
            .read_to_end(&mut bytes)
            .map_err(Reason::Read)?;
        if bytes.len() as u64 > LIMIT {
            return Err(Reason::TooLarge);
        }
        String::from_utf8(bytes)
            .or_else(|error| match self.format {
                // Go also replaces invalid UTF-8 in JSON. The syntax of JSON is ASCII.
                Format::DockerConfig => Ok(String::from_utf8_lossy(error.as_bytes()).into_owned()),
                Format::Netrc | Format::Classic => Err(Reason::NotText),
            })
            .map(Some)
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// A file that cannot be read or parsed, or a required file that is absent.
#[derive(Debug, thiserror::Error)]
#[error("cannot read credentials from {}", path.display())]
pub struct Error {
    path: PathBuf,
    #[source]
    reason: Reason,
}

#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error(transparent)]
    Read(io::Error),
    #[error("the file is larger than 1 MiB")]
    TooLarge,
    #[error("the file is not UTF-8")]
    NotText,
    #[error(transparent)]
    DockerConfig(#[from] docker_config::Error),
    #[error(transparent)]
    Netrc(#[from] netrc::Error),
    #[error(transparent)]
    CredentialsFile(#[from] credentials_file::Error),
}

#[cfg(test)]
mod tests;
