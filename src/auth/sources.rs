//! Sources: the files where credentials for a repository may be, in the order in which they are asked. The
//! first that has some wins. Which files these are is the caller's knowledge.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::docker_config::{self, DockerConfig};
use super::helper::{self, Helpers};
use super::{Credentials, Origin, Proof, credentials_file, netrc};
use crate::reference::{RegistryName, Repository};

/// Files larger than this (1 MiB) are refused.
const LIMIT: u64 = 1 << 20;

/// Where to look for credentials.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The files, in order.
    pub files: Vec<SourceFile>,
    /// How to run the programs that files name.
    pub helpers: Helpers,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Where it is.
    pub path: PathBuf,
    /// How it is written.
    pub format: Format,
    /// What it means if it is not there.
    pub absence: Absence,
}

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// As docker's `config.json` and containers' `auth.json`.
    DockerConfig,
    /// As netrc.
    Netrc,
    /// As the classic credentials file. It is for any registry.
    Classic,
}

/// What it means if a file is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// Nothing.
    Fine,
    /// Nothing, but the directory must be there: the user named it.
    NeedsDirectory,
    /// A mistake: the user named the file.
    Mistake,
}

/// What was in a place where credentials may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It is not there.
    Absent,
    /// Nothing for the registry, or for the repository.
    Nothing,
    /// Credentials.
    Credentials(Credentials),
    /// The name of a helper that is not installed, and nothing else. Docker (20.10) does not ask for what such a
    /// one keeps either, and goes on: a public image needs none of it.
    NotInstalled {
        /// The program.
        program: String,
    },
    /// Something that cannot be used.
    Unusable,
}

impl Sources {
    /// The credentials for a repository of a registry, or for the registry as a whole.
    pub async fn find(
        &self,
        registry: &RegistryName,
        repository: Option<&Repository>,
    ) -> Result<Option<Credentials>, Error> {
        self.search(registry, repository, &mut |_, _| ()).await
    }

    /// The same, and tells what is in each file that is asked.
    pub async fn search(
        &self,
        registry: &RegistryName,
        repository: Option<&Repository>,
        tell: &mut (dyn FnMut(&SourceFile, &Finding) + Send),
    ) -> Result<Option<Credentials>, Error> {
        for file in &self.files {
            let finding = match self.find_in(file, registry, repository).await {
                Ok(finding) => finding,
                Err(reason) => {
                    tell(file, &Finding::Unusable);
                    let path = file.path.clone();
                    return Err(Error { path, reason });
                }
            };
            tell(file, &finding);
            if let Finding::Credentials(credentials) = finding {
                return Ok(Some(credentials));
            }
        }
        Ok(None)
    }

    async fn find_in(
        &self,
        file: &SourceFile,
        registry: &RegistryName,
        repository: Option<&Repository>,
    ) -> Result<Finding, Reason> {
        let Some(text) = file.read()? else {
            return Ok(Finding::Absent);
        };
        let own = |proof| Credentials {
            proof,
            origin: Origin::File(file.path.clone()),
        };
        let mut absent = None;
        let proof: Option<Proof> = match file.format {
            Format::Netrc => netrc::find(&text, registry)?,
            Format::Classic => Some(credentials_file::parse(&text)?),
            Format::DockerConfig => {
                let config = DockerConfig::parse(&text)?;
                if let Some(name) = config.helper(registry) {
                    let program = helper::program(name)?;
                    match self.helpers.ask(&program, registry).await {
                        Ok(Some(proof)) => {
                            let file = file.path.clone();
                            let origin = Origin::Helper { program, file };
                            return Ok(Finding::Credentials(Credentials { proof, origin }));
                        }
                        Ok(None) => {}
                        Err(error) if error.is_not_installed() => absent = Some(program),
                        Err(error) => return Err(error.into()),
                    }
                }
                config.proof(registry, repository)?
            }
        };
        Ok(match (proof, absent) {
            (Some(proof), _) => Finding::Credentials(own(proof)),
            (None, Some(program)) => Finding::NotInstalled { program },
            (None, None) => Finding::Nothing,
        })
    }
}

impl SourceFile {
    /// Whether the user named it, and it is not there.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        match self.absence {
            Absence::Fine => false,
            Absence::NeedsDirectory => !self.path.parent().is_some_and(Path::exists),
            Absence::Mistake => !self.path.exists(),
        }
    }

    fn read(&self) -> Result<Option<String>, Reason> {
        let file = match File::open(&self.path) {
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
            .map(Some)
            .map_err(|_| Reason::NotText)
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// A file that was there, or should have been, and gave no answer.
#[derive(Debug, thiserror::Error)]
#[error("cannot take credentials from {}", path.display())]
pub struct Error {
    path: PathBuf,
    #[source]
    reason: Reason,
}

#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error(transparent)]
    Read(io::Error),
    #[error("it is larger than 1 MiB")]
    TooLarge,
    #[error("it is not text in UTF-8")]
    NotText,
    #[error(transparent)]
    DockerConfig(#[from] docker_config::Error),
    #[error(transparent)]
    Netrc(#[from] netrc::Error),
    #[error(transparent)]
    CredentialsFile(#[from] credentials_file::Error),
    #[error(transparent)]
    Helper(#[from] helper::Error),
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::time::Duration;

    fn find(files: &[SourceFile]) -> Result<Option<Credentials>, Error> {
        let sources = Sources {
            files: files.to_vec(),
            helpers: Helpers {
                path: Some("/path-not-set".into()),
                patience: Duration::from_secs(30),
            },
        };
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(sources.find(
                &"r.example".parse().unwrap(),
                Some(&"team/app".parse().unwrap()),
            ))
    }

    fn user(found: Result<Option<Credentials>, Error>) -> Option<String> {
        match found.unwrap()?.proof {
            Proof::Basic { username, .. } => Some(username),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_first_file_that_has_credentials_for_the_repository_wins() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str, format, text: &str| {
            let path = directory.path().join(name);
            fs::write(&path, text).unwrap();
            SourceFile {
                path,
                format,
                absence: Absence::Mistake,
            }
        };
        let none = file("none.json", Format::DockerConfig, r#"{"auths":{}}"#);
        let docker = file(
            "config.json",
            Format::DockerConfig,
            r#"{"auths":{"r.example":{"username":"docker","password":"x"}}}"#,
        );
        let netrc = file(
            "netrc",
            Format::Netrc,
            "machine r.example login netrc password x",
        );
        let classic = file("classic", Format::Classic, "USERNAME=classic\nPASSWORD=x\n");
        let absent = file(
            "absent.json",
            Format::DockerConfig,
            r#"{"auths":{"r.example":{}},"credsStore":"nowhere"}"#,
        );
        let beside = file(
            "beside.json",
            Format::DockerConfig,
            r#"{"auths":{"r.example":{"username":"beside","password":"x"}},"credsStore":"nowhere"}"#,
        );
        for (files, expected) in [
            (&[&none, &docker, &netrc][..], Some("docker")),
            (&[&none, &netrc, &docker], Some("netrc")),
            (&[&classic, &netrc], Some("classic")),
            (&[&none], None),
            (&[&absent], None),
            (&[&absent, &netrc], Some("netrc")),
            (&[&beside, &netrc], Some("beside")),
            (&[], None),
        ] {
            let files: Vec<_> = files.iter().map(|file| (*file).clone()).collect();
            assert_eq!(user(find(&files)).as_deref(), expected);
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_a_mistake_only_if_it_was_named() {
        let directory = tempfile::tempdir().unwrap();
        let nowhere = directory.path().join("nowhere/config.json");
        let in_directory = directory.path().join("config.json");
        for (path, absence, is_mistake) in [
            (&nowhere, Absence::Fine, false),
            (&nowhere, Absence::NeedsDirectory, true),
            (&nowhere, Absence::Mistake, true),
            (&in_directory, Absence::NeedsDirectory, false),
            (&in_directory, Absence::Mistake, true),
        ] {
            let file = SourceFile {
                path: path.clone(),
                format: Format::DockerConfig,
                absence,
            };
            assert_eq!(file.is_missing(), is_mistake, "{file:?}");
            assert_eq!(find(&[file]).is_err(), is_mistake, "{path:?} {absence:?}");
        }
    }

    #[test]
    fn what_is_there_but_cannot_be_read_is_an_error_that_names_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        for (text, format) in [
            (&b"\xff\xfe"[..], Format::DockerConfig),
            (b"{\"auths\":", Format::DockerConfig),
            (br#"{"credsStore":"../../bin/x"}"#, Format::DockerConfig),
            (b"machine \"", Format::Netrc),
            (b"nonsense", Format::Classic),
            (&vec![b' '; 2 << 20], Format::Netrc),
        ] {
            fs::write(&path, text).unwrap();
            let file = SourceFile {
                path: path.clone(),
                format,
                absence: Absence::Fine,
            };
            let error = find(&[file]).unwrap_err();
            assert!(error.to_string().contains(path.to_str().unwrap()));
        }
        // A directory in its place.
        let file = SourceFile {
            path: directory.path().to_owned(),
            format: Format::Netrc,
            absence: Absence::Fine,
        };
        assert!(find(&[file]).is_err());
    }
}
