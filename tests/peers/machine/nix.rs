//! Nix with a store of its own, its sandbox on, without a daemon, and with no substituters: what is built here is
//! built from nothing.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use super::program;

/// Names the executable that needs no shared library.
const HOCKER_STATIC: &str = "HOCKER_STATIC";

/// A Nix installation with an empty store.
pub(crate) struct Nix {
    directory: TempDir,
}

impl Nix {
    /// An empty store.
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("etc")).unwrap();
        let program = directory.path().join("hocker/bin/hocker");
        fs::create_dir_all(program.parent().unwrap()).unwrap();
        let own = static_hocker();
        fs::copy(&own, &program)
            .unwrap_or_else(|error| panic!("cannot copy {}: {error}", own.display()));
        Self { directory }
    }

    /// Where tests may put their files.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// One of Nix's programs.
    pub(crate) fn command(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        command
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .envs(self.variables())
            .current_dir(self.directory.path());
        command
    }

    /// The variables that make Nix what it is here.
    pub(crate) fn variables(&self) -> Vec<(&'static str, OsString)> {
        let path = self.directory.path();
        let text = OsString::from;
        vec![
            ("HOME", path.into()),
            ("NIX_STORE_DIR", path.join("store").into()),
            ("NIX_STATE_DIR", path.join("var").into()),
            ("NIX_LOG_DIR", path.join("log").into()),
            ("NIX_CONF_DIR", path.join("etc").into()),
            ("NIX_USER_CONF_FILES", text("")),
            ("NIX_PATH", text("")),
            ("NIX_REMOTE", text("")),
            ("XDG_CACHE_HOME", path.join("cache").into()),
            (
                "NIX_CONFIG",
                text(
                    "sandbox = true\nsandbox-fallback = false\nbuild-users-group =\nsubstituters =\n",
                ),
            ),
        ]
    }

    /// Nix text with `hocker` bound to the functions of `nix/`, over the static executable.
    pub(crate) fn with_functions(&self, body: &str) -> String {
        format!(
            "let hocker = import {} {{ hocker = {}; }}; in {body}",
            root().join("nix").display(),
            self.directory.path().join("hocker").display()
        )
    }

    /// Builds an expression that docker2nix wrote.
    pub(crate) fn build_image(&self, expression: &str) -> Output {
        let file = self.directory.path().join("image.nix");
        fs::write(&file, expression).unwrap();
        self.build(&format!("hocker.callImage {}", file.display()))
    }

    /// Builds what an expression over `hocker` says.
    pub(crate) fn build(&self, body: &str) -> Output {
        self.build_with(body, &[], &[])
    }

    /// The same with further options of nix-build, and with environment variables.
    pub(crate) fn build_with(
        &self,
        body: &str,
        options: &[&str],
        environment: &[(&str, &str)],
    ) -> Output {
        program::output(
            self.command("nix-build")
                .args(options)
                .envs(environment.iter().copied())
                .arg("--out-link")
                .arg(self.directory.path().join("result"))
                .args(["--expr", &self.with_functions(body)]),
        )
    }

    /// The same, where it must succeed; the store path.
    #[track_caller]
    pub(crate) fn built_image(&self, expression: &str) -> PathBuf {
        built(&self.build_image(expression))
    }

    /// The closure of a store path.
    pub(crate) fn requisites(&self, path: &Path) -> Vec<PathBuf> {
        program::text(
            self.command("nix-store")
                .args(["--query", "--requisites"])
                .arg(path),
        )
        .lines()
        .map(PathBuf::from)
        .collect()
    }

    /// Evaluates an expression to JSON.
    #[track_caller]
    pub(crate) fn evaluate(&self, expression: &str) -> serde_json::Value {
        let output = program::run(
            self.command("nix-instantiate")
                .args(["--eval", "--strict", "--json", "--expr", expression]),
        );
        serde_json::from_slice(&output).unwrap()
    }
}

/// The store path that a build printed.
#[track_caller]
pub(crate) fn built(output: &Output) -> PathBuf {
    assert!(
        output.status.success(),
        "the build failed\n{}",
        program::told(output)
    );
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    PathBuf::from(text.lines().last().unwrap_or_default())
}

/// The part of a store path's name after its hash.
pub(crate) fn store_name(path: &Path) -> String {
    let name = path.file_name().unwrap().to_str().unwrap();
    name.split_once('-').unwrap().1.to_owned()
}

/// The repository.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The executable that needs no shared library, built as users get it.
pub(crate) fn static_hocker() -> PathBuf {
    let path = env::var_os(HOCKER_STATIC).map_or_else(
        || {
            root().join(format!(
                "target/{}-unknown-linux-gnu/release/hocker",
                env::consts::ARCH
            ))
        },
        PathBuf::from,
    );
    assert!(
        path.is_file(),
        "there is no {}: scripts/test builds the hocker without shared libraries that Nix's sandbox needs, and \
         names it in {HOCKER_STATIC}",
        path.display()
    );
    path
}
