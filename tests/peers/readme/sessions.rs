//! What a newcomer does, with the registries at their public names.

use std::env;
use std::fs;
use std::process::Command;

use super::{PORT, follow, follow_server, section};
use crate::machine::desk::Desk;
use crate::machine::dockerd::Dockerd;
use crate::machine::host::Host;
use crate::machine::internet::{Internet, image};
use crate::machine::nix::root;
use crate::machine::program;
use crate::support::image::{Image, Layer, Packing, noise};

/// Four layers that images share.
fn base() -> Vec<Layer> {
    let layer = |number: usize| {
        let path = format!("base/{number}");
        Layer::of_files(Packing::Gzip, &[(&path, &noise(400_000 + number))])
    };
    (0..4).map(layer).collect()
}

/// An image on that base.
fn on_base(content: &[u8]) -> Image {
    let mut layers = base();
    layers.push(Layer::of_files(Packing::Gzip, &[("hello", content)]));
    image(layers)
}

/// An image of one layer.
fn small(content: &[u8]) -> Image {
    image(vec![Layer::of_files(Packing::Gzip, &[("hello", content)])])
}

/// Builds `result`, what fetchdocker makes of debian:12.
fn build(desk: &Desk, variables: &[(&str, &str)]) {
    let output = desk.shell(
        "hocker docker2nix debian:12 > debian.nix\n\
         nix-build -E '(import ./nix { hocker = ./hocker; }).callImage ./debian.nix'",
        variables,
    );
    assert!(output.status.success(), "{}", program::told(&output));
}

/// Demands that a registry on the host has an image, under a name without a registry.
#[track_caller]
fn serves(desk: &Desk, repository: &str, tag: &str, image: &Image) {
    let url = format!("http://127.0.0.1:{PORT}/v2/");
    let asked = format!("hocker manifest --registry {url} {repository} {tag}");
    let answer = desk.shell(&asked, &[]);
    assert!(answer.status.success(), "{}", program::told(&answer));
    assert!(answer.stdout == image.manifest, "another manifest");
}

#[test]
pub(super) fn a_short_session() {
    let (debian, hello) = (on_base(b"debian"), small(b"hello"));
    let internet = Internet::with(&[
        ("library/debian:12", &debian),
        ("library/hello-world:linux", &hello),
        ("library/redis:7", &hello),
    ]);
    let desk = internet.desk();
    let dockerd = Dockerd::start();
    let (host, config) = (dockerd.host(), internet.nix_config());
    follow_server(
        desk,
        &section("A short session"),
        &[("DOCKER_HOST", &host), ("NIX_CONFIG", &config)],
        || serves(desk, "library/hello-world", "linux", &hello),
    );
    assert_eq!(dockerd.image_id("debian:12"), debian.config_digest());
    assert_eq!(dockerd.image_id("hello-world:linux"), hello.config_digest());
    let lock = fs::read_to_string(desk.path("docker-images.lock.json")).unwrap();
    for image in [&debian, &hello] {
        assert!(lock.contains(&image.config_digest()), "{lock}");
    }
}

#[test]
pub(super) fn install() {
    let desk = Desk::on(Host::start(&[]));
    // As `cargo install` leaves it.
    let programs = desk.path(".cargo/bin");
    fs::create_dir_all(&programs).unwrap();
    fs::copy(desk.path("hocker/bin/hocker"), programs.join("hocker")).unwrap();
    let section = section("Install");
    // As often as one likes.
    follow(&desk, &section, &[]);
    follow(&desk, &section, &[]);
    let help = program::text(Command::new(programs.join("docker2nix")).arg("--help"));
    assert!(help.contains("Print a Nix expression"), "{help}");
    for path in [
        "man/man1/hocker.1",
        "man/man1/hocker-lock.1",
        "bash-completion/completions/hocker",
    ] {
        let path = desk.path(".local/share").join(path);
        assert!(path.metadata().unwrap().len() > 0, "{}", path.display());
    }
}

#[test]
pub(super) fn into_a_daemon() {
    let (debian, before) = (on_base(b"debian"), image(base()));
    let internet = Internet::with(&[
        ("library/debian:12", &debian),
        ("library/debian:11", &before),
    ]);
    let desk = internet.desk();
    let dockerd = Dockerd::start();
    let (host, config) = (dockerd.host(), internet.nix_config());
    let variables = [("DOCKER_HOST", host.as_str()), ("NIX_CONFIG", &config)];
    build(desk, &variables);
    let loaded = desk.shell(
        "hocker image --format oci-dir --out before debian:11 && hocker load before",
        &variables,
    );
    assert!(loaded.status.success(), "{}", program::told(&loaded));
    let output = follow(desk, &section("Into a daemon"), &variables);
    let told = program::told(&output);
    assert!(told.contains("sent 1 of 5 layers"), "{told}");
    assert_eq!(dockerd.image_id("debian:12"), debian.config_digest());
}

#[test]
pub(super) fn from_a_binary_cache() {
    let internet = Internet::with(&[("library/debian:12", &small(b"debian"))]);
    let desk = internet.desk();
    let config = internet.nix_config();
    let variables = [("NIX_CONFIG", config.as_str())];
    build(desk, &variables);
    let keys = "nix-store --generate-binary-cache-key cache-1 /etc/nix/cache.key public";
    assert!(desk.shell(keys, &variables).status.success());
    follow(desk, &section("From a binary cache"), &variables);
    let infos = fs::read_dir(desk.path("/srv/cache")).unwrap();
    let infos = infos
        .filter(|entry| {
            let path = entry.as_ref().unwrap().path();
            path.extension().is_some_and(|own| own == "narinfo")
        })
        .count();
    // The image, its configuration and layer, and hocker.
    assert_eq!(infos, 4);
}

#[test]
pub(super) fn the_lock_file() {
    let (debian, app) = (small(b"debian"), small(b"app"));
    let internet = Internet::with(&[
        ("library/debian:12", &debian),
        ("team/app:1", &app),
        ("library/redis:7", &app),
    ]);
    let desk = internet.desk();
    desk.write(
        "compose.yaml",
        "services:\n  cache:\n    image: redis:7\n  web:\n    image: ghcr.io/team/app:1\n",
    );
    desk.write(
        "images.nix",
        "(import ./nix { hocker = ./hocker; }).importLock { lockFile = ./docker-images.lock.json; }\n",
    );
    let config = internet.nix_config();
    let output = follow(
        desk,
        &section("The lock file"),
        &[("NIX_CONFIG", config.as_str())],
    );
    let told = program::told(&output);
    for name in ["debian", "web", "redis"] {
        assert!(told.contains(name), "{name} is not in {told}");
    }
    let built = desk.shell(
        "nix-build --no-out-link images.nix",
        &[("NIX_CONFIG", &config)],
    );
    assert!(built.status.success(), "{}", program::told(&built));
}

#[test]
pub(super) fn serving_images() {
    let desk = Desk::on(Host::start(&[]));
    let (debian, app) = (small(b"debian"), small(b"app"));
    for (directory, image, name) in [
        ("debian", &debian, "docker.io/library/debian:12"),
        ("app", &app, "ghcr.io/team/app:1"),
    ] {
        let directory = desk.path("/srv/images").join(directory);
        fs::create_dir_all(&directory).unwrap();
        image.write_layout(&directory, name);
    }
    follow_server(&desk, &section("Serving images"), &[], || {
        serves(&desk, "library/debian", "12", &debian);
        serves(&desk, "ghcr.io/team/app", "1", &app);
    });
}

#[test]
pub(super) fn development() {
    let dockerd = Dockerd::start();
    // What cargo tells tests of themselves would make it compile all anew for the demo.
    let kept = [
        "PATH",
        "HOME",
        "CARGO_HOME",
        "CARGO_TARGET_DIR",
        "RUSTUP_HOME",
    ];
    let kept = kept.map(|name| Some((name, env::var_os(name)?)));
    let output = program::output(
        Command::new("bash")
            .args(["-eu", "-c", &section("Development").script()])
            .current_dir(root())
            .env_clear()
            .envs(kept.into_iter().flatten())
            .env("DOCKER_HOST", dockerd.host()),
    );
    let told = program::told(&output);
    assert!(output.status.success(), "{told}");
    for line in ["Hello from an image", "nothing was sent", "==> Done"] {
        assert!(told.contains(line), "no {line:?} in {told}");
    }
    assert_eq!(dockerd.contents().0, [""; 0], "it tidies up");
}
