//! The tables of `docs/nix.md` and `docs/migrating.md`: the arguments of the functions, and what replaces those of nixpkgs'
//! `pullImage`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::machine::dockerd::Dockerd;
use crate::machine::nix::{Nix, built};
use crate::machine::program;
use crate::machine::real_image::{GREETING, real_image};
use crate::pipeline::{registry_with, stream};
use crate::support::hocker::hocker;
use crate::support::pages::Page;

/// The text under a heading of a page.
fn section(page: &str, title: &str) -> String {
    Page::at(page).section(title).prose().to_owned()
}

/// The names in the first column of a section's table.
fn first_column(section: &str) -> BTreeSet<String> {
    section
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .flat_map(|line| {
            let cell = line.split(" | ").next().unwrap();
            cell.split(['`', ',', ' '])
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .filter(|word| !word.is_empty() && word != "or")
        .collect()
}

#[test]
fn every_argument_of_every_function_is_listed_and_no_other() {
    let nix = Nix::new();
    let functions = nix.evaluate(&nix.with_functions(
        "builtins.mapAttrs (_: value: if builtins.isFunction value then builtins.functionArgs value else { }) hocker",
    ));
    let mut compared = 0;
    for (function, arguments) in functions.as_object().unwrap() {
        let arguments: BTreeSet<String> = arguments.as_object().unwrap().keys().cloned().collect();
        if arguments.is_empty() {
            continue;
        }
        compared += 1;
        let listed = first_column(&section("docs/nix.md", &format!("`{function}`")));
        assert_eq!(listed, arguments, "{function}");
    }
    assert!(compared >= 3, "{functions}");
}

/// What `pullImage` does with its arguments: skopeo copies an image by its digest into an archive under a name.
fn pull_image(name: &str, digest: &str, final_name: &str, archive: &Path) {
    program::run(
        Command::new("skopeo")
            .args(["--insecure-policy", "copy", "--src-tls-verify=false"])
            .arg(format!("docker://{name}@{digest}"))
            .arg(format!(
                "docker-archive://{}:{final_name}",
                archive.display()
            )),
    );
}

#[test]
fn an_image_that_pull_image_had_is_the_same_image_here() {
    let table = section("docs/migrating.md", "From `dockerTools.pullImage`");
    for argument in [
        "imageName",
        "finalImageTag",
        "imageDigest",
        "hash",
        "finalImageName",
        "os",
        "arch",
        "tlsVerify",
    ] {
        assert!(table.contains(argument), "{argument} is not in the table");
    }

    let image = real_image();
    let registry = registry_with(&image);
    let name = format!("{}/team/app", registry.name());
    let nix = Nix::new();
    let theirs = nix.directory().join("theirs.tar");
    pull_image(&name, &image.digest(), &format!("{name}:v3"), &theirs);

    // As the table says it.
    let manifest = hocker(["manifest", &format!("{name}@{}", image.digest())])
        .run()
        .done()
        .stdout;
    let pin = nix.directory().join("app.json");
    fs::write(&pin, manifest).unwrap();
    let result = built(&nix.build(&format!(
        "hocker.fetchdocker {{ image = \"{name}:v3\"; imageManifest = {}; }}",
        pin.display()
    )));
    let ours = nix.directory().join("ours.tar");
    stream(&result.join("compositeImage.sh"), &ours);

    let dockerd = Dockerd::start();
    for archive in [&theirs, &ours] {
        let loaded = dockerd.load(archive);
        assert!(loaded.status.success(), "{}", program::told(&loaded));
        let tag = format!("{name}:v3");
        assert_eq!(
            dockerd.image_id(&tag),
            image.config_digest(),
            "{}",
            archive.display()
        );
        assert_eq!(dockerd.run_image(&tag), GREETING);
        program::run(dockerd.docker().args(["image", "rm", "--force", &tag]));
    }
}
