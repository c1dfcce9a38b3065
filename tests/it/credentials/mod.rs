//! Credentials: where they are found, in which order, which of them helpers and token services get, and that they go
//! nowhere else.

mod denials; // what an error says of where the credentials came from
mod helpers; // programs that keep secrets, and what follows where they fail
mod places; // files and variables, and their order
mod secrets; // no way of giving a secret ends in an error that shows it
mod sharing; // builders and mirrors
mod tokens; // identity tokens, and tokens that end

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;

use crate::support::hocker::{Outcome, Run, hocker};
use crate::support::image::{blob_answer, blob_path, digest, small};
use crate::support::scripted_registry::{Answer, Registry, get};

const MANIFEST: &str = "/v2/team/app/manifests/1";
/// The password of every user in these tests.
const PASSWORD: &str = "hunter2";
const IDENTITY: &str = "identity/t0ken==";

/// A user's files, and the variables that lead to them.
struct User {
    home: TempDir,
    variables: Vec<(&'static str, PathBuf)>,
}

impl User {
    fn new() -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            variables: Vec::new(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn variable(mut self, name: &'static str, value: impl Into<PathBuf>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// Installs a credential helper that is a shell script.
    fn helper(&self, name: &str, script: &str) {
        let program = format!("docker-credential-{name}");
        self.program(&program, &format!("#!/bin/sh\n{script}\n"));
    }

    /// Installs a program. The file is written by another process: while this one had it open for writing, a test
    /// beside this one could start a program that inherits it, and then it cannot be run.
    fn program(&self, name: &str, text: &str) {
        let directory = self.path("bin");
        fs::create_dir_all(&directory).unwrap();
        let mut shell = Command::new("/bin/sh")
            .args(["-c", "cat > \"$0\" && chmod 755 \"$0\""])
            .arg(directory.join(name))
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        write!(shell.stdin.take().unwrap(), "{text}").unwrap();
        assert!(shell.wait().unwrap().success());
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let path = format!("{}:/usr/bin:/bin", self.path("bin").display());
        let run = hocker(arguments)
            .env("HOME", self.home.path())
            .env("PATH", path);
        self.variables
            .iter()
            .fold(run, |run, (name, value)| run.env(name, value))
    }

    fn manifest(&self, registry: &Registry) -> Run {
        self.run(&["manifest", &format!("{}/team/app:1", registry.name())])
    }
}

fn basic(user: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{PASSWORD}")))
}

/// A docker configuration with one entry.
fn entry(key: &str, user: &str) -> String {
    let auth = STANDARD.encode(format!("{user}:{PASSWORD}"));
    format!(r#"{{"auths":{{"{key}":{{"auth":"{auth}"}}}}}}"#)
}

/// A registry that lets in whoever has a password.
fn registry_with_password() -> Registry {
    let registry = Registry::start();
    let image = small();
    registry.on_each(get(MANIFEST).repeatedly(), move |request| {
        match request.header("Authorization") {
            Some(_) => image.manifest_answer(),
            None => Answer::challenge("Basic realm=\"Registry\""),
        }
    });
    registry
}

/// A registry that wants the token `good`, which `/token` gives out.
fn registry_with_tokens(good: &str) -> Registry {
    let registry = Registry::start();
    let image = small();
    registry.on(
        get(MANIFEST).with("Authorization", format!("Bearer {good}")),
        image.manifest_answer(),
    );
    registry.on(
        get(MANIFEST).without("Authorization").perhaps(),
        Answer::challenge(challenge(&registry.at("/token"))),
    );
    registry
}

fn challenge(realm: &str) -> String {
    format!(
        "Bearer realm=\"{realm}\",service=\"registry.example\",scope=\"repository:team/app:pull\""
    )
}

/// Nothing of what is secret, as text or in base64, as words or in a header.
#[track_caller]
fn secretive(outcome: Outcome) -> Outcome {
    outcome
        .never_says(PASSWORD)
        .never_says(IDENTITY)
        .never_says(&STANDARD.encode(format!("docker:{PASSWORD}")))
}

/// What the last request was sent with.
fn last_authorization(registry: &Registry) -> Option<String> {
    let requests = registry.requests();
    requests
        .last()
        .and_then(|request| request.header("Authorization"))
        .map(str::to_owned)
}

/// A docker configuration with an identity token.
fn identity(registry: &Registry) -> String {
    let name = registry.name();
    format!(r#"{{"auths":{{"{name}":{{"auth":"YW5uOg==","identitytoken":"{IDENTITY}"}}}}}}"#)
}

/// Serves an image whose blobs are refused with `challenge` while they are asked for with `old`.
fn serve_with_change(registry: &Registry, old: &str, new: &str, challenge: &str) {
    let image = small();
    let manifest = image.manifest_answer();
    let first = format!("Bearer realm=\"{}\"", registry.at("/token"));
    let allowed = old.to_owned();
    registry.on_each(get(MANIFEST).repeatedly(), move |request| {
        if request.header("Authorization") == Some(&allowed) {
            manifest.clone()
        } else {
            Answer::challenge(&first)
        }
    });
    let layers = image.layers.iter().map(|layer| &layer.blob);
    for blob in std::iter::once(&image.config).chain(layers) {
        let (answer, new, challenge) = (blob_answer(blob), new.to_owned(), challenge.to_owned());
        let path = blob_path("team/app", &digest(blob));
        registry.on_each(get(path).repeatedly(), move |request| {
            if request.header("Authorization") == Some(&new) {
                answer.clone()
            } else {
                Answer::challenge(&challenge)
            }
        });
    }
}

fn image(user: &User, registry: &Registry, out: &Path) -> Run {
    let reference = format!("{}/team/app:1", registry.name());
    user.run(&["image", "--out", out.to_str().unwrap(), &reference])
}
