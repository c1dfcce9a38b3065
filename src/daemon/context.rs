//! Docker contexts: named daemons in docker's configuration directory.
//!
//! Source: docker/cli, `cli/context/store`: `contexts/meta/<SHA-256 of the name>/meta.json`, and files for TLS
//! in `contexts/tls/<SHA-256 of the name>/docker`.

use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::MapAccess;

use super::address::{self, Address, Endpoint, TlsFiles};
use crate::go_json::{self, Fields, text};
use crate::input;
use crate::oci::digest::Digest;
use crate::oci::document;

/// The name for the absence of a context.
const DEFAULT: &str = "default";

/// The current context in `config.json`. Other fields are ignored.
#[derive(Default)]
struct Config {
    current_context: String,
}

impl Fields for Config {
    fn take<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
        match name {
            "currentcontext" => text(&mut self.current_context, map),
            _ => Ok(false),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Meta {
    endpoints: Option<Endpoints>,
}

#[derive(Deserialize)]
struct Endpoints {
    docker: Option<DockerEndpoint>,
}

#[derive(Deserialize)]
struct DockerEndpoint {
    #[serde(rename = "Host")]
    host: Option<String>,
    #[serde(rename = "SkipTLSVerify", default)]
    skip_tls_verify: bool,
}

/// Returns the daemon of the context `name`, or of the current context. Returns `None` if there is no context, so the
/// default address applies.
pub fn find(directory: &Path, name: Option<&str>) -> Result<Option<Endpoint>, Error> {
    let current = match name {
        Some(name) => Some(name.to_owned()),
        None => current(&directory.join("config.json"))?,
    };
    let Some(name) = current.filter(|name| !name.is_empty() && name != DEFAULT) else {
        return Ok(None);
    };
    let contexts = directory.join("contexts");
    let id = Digest::of(name.as_bytes()).hex();
    let meta = contexts.join("meta").join(&id).join("meta.json");
    let no_context = || Error::NoContext {
        name: name.clone(),
        path: meta.clone(),
    };
    let endpoint = read(&meta, |bytes| serde_json::from_slice(bytes))?
        .and_then(|meta: Meta| meta.endpoints?.docker)
        .ok_or_else(no_context)?;
    if endpoint.skip_tls_verify {
        return Err(Error::Unverified { name });
    }
    let address: Address = match endpoint.host.as_deref().filter(|host| !host.is_empty()) {
        Some(host) => host
            .parse()
            .map_err(|source| Error::Address { name, source })?,
        None => Address::default(),
    };
    let tls = contexts.join("tls").join(&id).join("docker");
    Ok(Some(Endpoint {
        address,
        tls: tls.is_dir().then(|| TlsFiles::in_directory(&tls)),
    }))
}

/// Returns the name of the current context, if the configuration has one.
fn current(path: &Path) -> Result<Option<String>, Error> {
    let config = read(path, |bytes| {
        go_json::first::<Config>(&String::from_utf8_lossy(bytes))
    })?;
    Ok(config.flatten().map(|config| config.current_context))
}

/// Reads a JSON file with `parse`. Returns `None` if there is no file.
fn read<T>(
    path: &Path,
    parse: impl FnOnce(&[u8]) -> Result<T, serde_json::Error>,
) -> Result<Option<T>, Error> {
    let bytes = match input::open(path).and_then(document::read) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(Error::Read {
                path: path.to_owned(),
                source,
            });
        }
    };
    parse(&bytes).map(Some).map_err(|error| Error::Json {
        path: path.to_owned(),
        // The message of the parser could quote a secret: docker keeps secrets in the same file.
        line: error.line(),
    })
}

/// The context cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A file has an unknown format.
    #[error("{} is invalid in line {line}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// The number of the line, from 1.
        line: usize,
    },
    /// The context does not exist, or names no daemon.
    #[error("the docker context `{name}` does not exist: {} is absent or names no daemon", path.display())]
    NoContext {
        /// The name.
        name: String,
        /// The file of the context.
        path: PathBuf,
    },
    /// The context disables the verification of certificates, which is not supported.
    #[error(
        "the docker context `{name}` disables the verification of certificates, which is not supported"
    )]
    Unverified {
        /// The name.
        name: String,
    },
    /// The context has an invalid address.
    #[error("cannot use the docker context `{name}`")]
    Address {
        /// The name.
        name: String,
        /// The cause.
        #[source]
        source: address::ParseError,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn write(directory: &Path, name: &str, text: &str) {
        let path = directory.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn host(endpoint: Option<Endpoint>) -> Option<String> {
        endpoint.map(|endpoint| endpoint.address.to_string())
    }

    #[test]
    fn the_current_context_is_used_unless_one_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        assert_eq!(host(find(path, None).unwrap()), None);
        for name in ["remote", "other"] {
            let id = Digest::of(name.as_bytes()).hex();
            let text = format!(
                r#"{{"Name":"{name}","Endpoints":{{"docker":{{"Host":"unix:///run/{name}.sock","SkipTLSVerify":false}}}}}}"#
            );
            write(path, &format!("contexts/meta/{id}/meta.json"), &text);
        }
        assert_eq!(host(find(path, None).unwrap()), None);
        write(
            path,
            "config.json",
            r#"{"auths":{},"currentContext":"remote"}"#,
        );
        let expected = |name: &str| Some(format!("unix:///run/{name}.sock"));
        // Docker accepts keys in any case, reads only the first value, and accepts an empty file.
        for text in [
            r#"{"CurrentContext":"remote"}"#,
            r#"{"currentContext":"remote","currentContext":null} and more"#,
        ] {
            write(path, "config.json", text);
            assert_eq!(host(find(path, None).unwrap()), expected("remote"));
        }
        for text in ["", "{}", r#"{"currentContext":null}"#] {
            write(path, "config.json", text);
            assert_eq!(host(find(path, None).unwrap()), None);
        }
        write(path, "config.json", r#"{"currentContext":"remote"}"#);
        assert_eq!(host(find(path, None).unwrap()), expected("remote"));
        assert_eq!(host(find(path, Some("other")).unwrap()), expected("other"));
        assert_eq!(host(find(path, Some("default")).unwrap()), None);
        assert!(matches!(
            find(path, Some("none")),
            Err(Error::NoContext { .. })
        ));
    }

    #[test]
    fn a_context_brings_its_files_for_tls_and_is_never_believed_without() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        let id = Digest::of(b"x").hex();
        let meta = format!("contexts/meta/{id}/meta.json");
        let text = |skip: bool| {
            format!(
                r#"{{"Endpoints":{{"docker":{{"Host":"tcp://h:2376","SkipTLSVerify":{skip}}}}}}}"#
            )
        };
        write(path, &meta, &text(false));
        write(path, &format!("contexts/tls/{id}/docker/ca.pem"), "");
        let tls = find(path, Some("x")).unwrap().unwrap().tls.unwrap();
        assert!(tls.authority.unwrap().ends_with("docker/ca.pem"));
        assert_eq!(tls.identity, None);
        write(path, &meta, &text(true));
        assert!(matches!(
            find(path, Some("x")),
            Err(Error::Unverified { .. })
        ));
    }

    #[test]
    fn a_broken_configuration_is_an_error_that_quotes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        write(directory.path(), "config.json", "{\"auths\": secret}");
        let error = find(directory.path(), None).unwrap_err().to_string();
        assert!(error.ends_with("is invalid in line 1"), "{error}");
    }
}
