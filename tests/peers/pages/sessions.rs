//! What a newcomer does, with the registries at their public names.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::{
    AUTOMATION, COMMANDS, LOADING, LOCK_FILE, NIX, PORT, README, SERVING, follow, follow_server,
    section,
};
use crate::machine::desk::Desk;
use crate::machine::dockerd::Dockerd;
use crate::machine::host::Host;
use crate::machine::internet::{Internet, image};
use crate::machine::nix::{built, root};
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

/// Asserts that a layout, or a result of fetchdocker, has the layers of an image.
#[track_caller]
fn has_layers(directory: &Path, image: &Image) {
    let blobs = ["oci/blobs/sha256", "blobs/sha256"].map(|blobs| directory.join(blobs));
    let blobs = blobs.iter().find(|blobs| blobs.exists()).unwrap();
    for layer in &image.layers {
        assert!(fs::read(blobs.join(layer.hex())).unwrap() == layer.blob);
    }
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
        &section(README, "A short session"),
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
pub(super) fn a_pin_in_nix() {
    let nginx = small(b"nginx");
    let internet = Internet::with(&[("library/nginx:1.27", &nginx)]);
    let config = internet.nix_config();
    let output = follow(
        internet.desk(),
        &section(README, "In Nix"),
        &[("NIX_CONFIG", &config)],
    );
    has_layers(&built(&output), &nginx);
}

#[test]
pub(super) fn nix_functions() {
    let debian = on_base(b"debian");
    let internet = Internet::with(&[("library/debian:12", &debian)]);
    let dockerd = Dockerd::start();
    let (host, config) = (dockerd.host(), internet.nix_config());
    follow(
        internet.desk(),
        &section(NIX, "Nix functions"),
        &[("DOCKER_HOST", &host), ("NIX_CONFIG", &config)],
    );
    assert_eq!(dockerd.image_id("debian:12"), debian.config_digest());
}

#[test]
pub(super) fn examples_of_commands() {
    let debian = small(b"debian");
    let internet = Internet::with(&[("library/debian:12", &debian)]);
    let desk = internet.desk();
    follow(desk, &section(COMMANDS, "Examples"), &[]);
    assert!(fs::read(desk.path("debian.json")).unwrap() == debian.manifest);
    assert!(fs::read(desk.path("debian-config.json")).unwrap() == debian.config);
    let index = fs::read_to_string(desk.path("debian-index.json")).unwrap();
    assert!(index.contains(&debian.digest()), "{index}");
    has_layers(&desk.path("debian"), &debian);
    for archive in ["debian.tar", "debian-with-digest.tar"] {
        let listed = desk.shell(&format!("tar --list --file {archive}"), &[]);
        let told = program::told(&listed);
        assert!(told.contains("manifest.json"), "{archive}: {told}");
    }
}

#[test]
pub(super) fn removing() {
    let debian = small(b"debian");
    let internet = Internet::with(&[("library/debian:12", &debian)]);
    let desk = internet.desk();
    let dockerd = Dockerd::start();
    let (host, config) = (dockerd.host(), internet.nix_config());
    let variables = [("DOCKER_HOST", host.as_str()), ("NIX_CONFIG", &config)];
    build(desk, &variables);
    let section = section(LOADING, "Remove images that you no longer need");
    follow(desk, &section, &variables);
    assert_eq!(dockerd.image_id("debian:12"), debian.config_digest());
    // Without `--keep`, the same image goes.
    let pruned = desk.shell("hocker prune --state images", &variables);
    assert!(pruned.status.success(), "{}", program::told(&pruned));
    assert_eq!(dockerd.contents().0, [""; 0]);
}

#[test]
pub(super) fn install_the_rest() {
    let desk = Desk::on(Host::start(&[]));
    // As `cargo install` leaves it.
    let programs = desk.path(".cargo/bin");
    fs::create_dir_all(&programs).unwrap();
    fs::copy(desk.path("hocker/bin/hocker"), programs.join("hocker")).unwrap();
    let section = section(COMMANDS, "Install the rest");
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
pub(super) fn loading() {
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
    let output = follow(
        desk,
        &section(LOADING, "Loading images into a daemon"),
        &variables,
    );
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
    follow(desk, &section(NIX, "From a binary cache"), &variables);
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
pub(super) fn lock_file() {
    let (debian, app) = (small(b"debian"), small(b"app"));
    let internet = Internet::with(&[
        ("library/debian:12", &debian),
        ("team/app:1", &app),
        ("library/redis:7", &app),
        ("library/nginx:1.27", &app),
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
        &section(LOCK_FILE, "Lock file"),
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
pub(super) fn lock_file_for_compose() {
    let (nginx, app) = (small(b"nginx"), small(b"app"));
    let internet = Internet::with(&[("library/nginx:1.27", &nginx), ("team/app:1", &app)]);
    let desk = internet.desk();
    desk.write(
        "compose.yaml",
        "services:\n  web:\n    image: ghcr.io/team/app:1\n",
    );
    let config = internet.nix_config();
    let variables = [("NIX_CONFIG", config.as_str())];
    follow(desk, &section(LOCK_FILE, "Compose files"), &variables);
    let renamed = desk.shell("hocker lock add web=ghcr.io/team/app:1", &variables);
    assert!(renamed.status.success(), "{}", program::told(&renamed));
    let output = follow(desk, &section(LOCK_FILE, "See what changed"), &variables);
    let told = program::told(&output);
    assert!(told.contains("layers: 1 new, 1 gone, 0 kept"), "{told}");
    follow(
        desk,
        &section(AUTOMATION, "Compose without Nix"),
        &variables,
    );
    let pins = fs::read_to_string(desk.path("compose.override.yaml")).unwrap();
    assert!(pins.contains("\"ghcr.io/team/app:1@sha256:"), "{pins}");
}

#[test]
pub(super) fn patterns_and_waits() {
    let image = small(b"image");
    let internet = Internet::with(&[
        ("library/nginx:1.27.3", &image),
        ("library/nginx:1.27.4", &image),
        ("library/redis:7.4.1-alpine", &image),
        ("library/postgres:16.4-bookworm", &image),
    ]);
    let desk = internet.desk();
    let added = desk.shell("hocker lock add database=postgres:16.4-bookworm", &[]);
    assert!(added.status.success(), "{}", program::told(&added));
    follow(desk, &section(LOCK_FILE, "Tags by pattern"), &[]);
    let lock = fs::read_to_string(desk.path("docker-images.lock.json")).unwrap();
    for text in ["1.27.4", "1.*", "^7.2", "16.*-bookworm"] {
        assert!(lock.contains(text), "{text}: {lock}");
    }
    follow(desk, &section(LOCK_FILE, "Wait before an update"), &[]);
    let lock = fs::read_to_string(desk.path("docker-images.lock.json")).unwrap();
    for text in ["3d", "7d"] {
        assert!(lock.contains(text), "{text}: {lock}");
    }
}

#[test]
pub(super) fn serving() {
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
    follow_server(&desk, &section(SERVING, "Serving images"), &[], || {
        serves(&desk, "library/debian", "12", &debian);
        serves(&desk, "ghcr.io/team/app", "1", &app);
    });
}

#[test]
pub(super) fn try_it() {
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
            .args(["-eu", "-c", &section(README, "Try it").script()])
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
