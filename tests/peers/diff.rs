//! `hocker diff` of two images that Docker built, with packages that dpkg installed, updated and removed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::machine::docker_registry::DockerRegistry;
use crate::machine::dockerd::Dockerd;
use crate::machine::program;
use crate::support::hocker::hocker;

/// A root directory whose packages dpkg manages.
struct Root(PathBuf);

impl Root {
    fn new(path: &Path) -> Self {
        fs::create_dir_all(path.join("var/lib/dpkg/updates")).unwrap();
        fs::create_dir_all(path.join("var/lib/dpkg/info")).unwrap();
        fs::write(path.join("var/lib/dpkg/status"), "").unwrap();
        Self(path.to_owned())
    }

    fn dpkg(&self, arguments: &[&str]) {
        let mut dpkg = Command::new("dpkg");
        dpkg.arg("--root")
            .arg(&self.0)
            .args(["--force-not-root", "--force-depends"]);
        program::run(dpkg.arg("--log=/dev/null").args(arguments));
    }

    fn install(&self, name: &str, version: &str) {
        let directory = tempfile::tempdir().unwrap();
        let package = directory.path().join("package");
        fs::create_dir_all(package.join("DEBIAN")).unwrap();
        fs::create_dir_all(package.join("opt")).unwrap();
        fs::write(package.join("opt").join(name), version).unwrap();
        let control = format!(
            "Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: Test <test@example.org>\nDescription: test\n"
        );
        fs::write(package.join("DEBIAN/control"), control).unwrap();
        let file = directory.path().join("package.deb");
        program::run(
            Command::new("dpkg-deb")
                .args(["--build", "--root-owner-group"])
                .arg(&package)
                .arg(&file),
        );
        self.dpkg(&["--install", file.to_str().unwrap()]);
    }

    /// The installed packages, as dpkg lists them.
    fn packages(&self) -> BTreeMap<String, String> {
        let mut query = Command::new("dpkg-query");
        query.arg("--root").arg(&self.0);
        let list = program::text(query.args([
            "--show",
            "--showformat=${db:Status-Abbrev} ${Package} ${Version}\n",
        ]));
        let packages = list.lines().filter(|line| line.starts_with("ii"));
        packages
            .map(|line| {
                let words: Vec<_> = line.split_whitespace().collect();
                (words[1].to_owned(), words[2].to_owned())
            })
            .collect()
    }
}

fn build(dockerd: &Dockerd, directory: &Path, tag: &str, dockerfile: &str) {
    fs::write(directory.join("Dockerfile"), dockerfile).unwrap();
    let mut docker = dockerd.docker();
    docker
        .env("DOCKER_BUILDKIT", "0")
        .args(["build", "--quiet", "--tag", tag]);
    program::run(docker.arg(directory));
}

/// Returns the packages that differ, with their old and new versions.
fn changed_packages(diff: &Value) -> BTreeMap<String, (Option<String>, Option<String>)> {
    let changed = diff["packages"]["changed"].as_array().unwrap();
    let entries = changed.iter().map(|change| {
        let version = |side: &str| change[side].as_str().map(str::to_owned);
        let name = change["name"].as_str().unwrap().to_owned();
        (name, (version("from"), version("to")))
    });
    entries.collect()
}

#[test]
fn packages_and_settings_of_built_images_are_those_of_dpkg_and_of_the_dockerfile() {
    let dockerd = Dockerd::start();
    let directory = tempfile::tempdir().unwrap();
    let root = Root::new(&directory.path().join("root"));
    for (name, version) in [
        ("kept", "1.0-1"),
        ("updated", "2:1.2~rc1-3"),
        ("purged", "0.1"),
        ("removed", "5"),
    ] {
        root.install(name, version);
    }
    let old = root.packages();
    let label = "LABEL org.opencontainers.image.source=https://github.com/a/b org.opencontainers.image.revision=";
    build(
        &dockerd,
        directory.path(),
        "app:1",
        &format!(
            "FROM scratch\nCOPY root /\nENV MODE=old SECRET=hunter2\nEXPOSE 80\n{label}aaaa\nCMD [\"/opt/kept\"]\n"
        ),
    );
    root.install("updated", "2:1.2-1");
    root.install("added", "7");
    root.dpkg(&["--purge", "purged"]);
    root.dpkg(&["--remove", "removed"]);
    let new = root.packages();
    build(
        &dockerd,
        directory.path(),
        "app:2",
        &format!(
            "FROM app:1\nCOPY root/var/lib/dpkg /var/lib/dpkg\nENV MODE=new\nUSER app\n{label}bbbb\n"
        ),
    );
    for tag in ["1", "2"] {
        let archive = directory.path().join(format!("{tag}.tar"));
        program::run(
            dockerd
                .docker()
                .args(["save", "--output"])
                .arg(&archive)
                .arg(format!("app:{tag}")),
        );
    }
    let run = |arguments: &[&str]| {
        let run = hocker(["diff", "./1.tar", "./2.tar"]).arguments(arguments);
        run.in_directory(directory.path()).run().done()
    };
    let value: Value = serde_json::from_slice(&run(&["--json"]).stdout).unwrap();
    let changed = changed_packages(&value);
    let names = old.keys().chain(new.keys());
    let expected: BTreeMap<_, _> = names
        .map(|name| {
            (
                name.clone(),
                (old.get(name).cloned(), new.get(name).cloned()),
            )
        })
        .filter(|(_, (from, to))| from != to)
        .collect();
    assert_eq!(expected.len(), 4, "{expected:?}");
    assert_eq!(changed, expected);
    assert_eq!(value["packages"]["kept"], 1);
    let text = run(&[]).text();
    for part in [
        "user: (none) → app",
        "~ MODE\n",
        "~ updated 2:1.2~rc1-3 → 2:1.2-1",
        "layers: 1 new, 0 gone, 1 kept",
        "COPY dir:",
        "compare: https://github.com/a/b/compare/aaaa...bbbb",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(!text.contains("hunter2"), "{text}");

    // The same images from a registry, with their layers fetched.
    let registry = DockerRegistry::start();
    let reference = |tag: &str| format!("{}/app:{tag}", registry.name());
    for tag in ["1", "2"] {
        let name = reference(tag);
        program::run(dockerd.docker().args(["tag", &format!("app:{tag}"), &name]));
        program::run(dockerd.docker().args(["push", "--quiet", &name]));
    }
    let outcome = hocker([
        "diff",
        &reference("1"),
        &reference("2"),
        "--fetch",
        "--json",
    ])
    .run()
    .done();
    let fetched: Value = serde_json::from_slice(&outcome.stdout).unwrap();
    assert_eq!(fetched["packages"], value["packages"]);
    assert_eq!(fetched["config"], value["config"]);
}
