//! hocker load and prune against a scripted daemon: what real daemons cannot be made to do. What they do is in the
//! second ring.

mod files; // only regular files are opened, and what was verified is what is sent
mod form; // which daemon gets which form of a layer
mod lock; // several at work on one state
mod names; // an image that is called by another's id is not that image

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use serde_json::json;
use tempfile::TempDir;

use crate::support::hocker::{Run, hocker};
use crate::support::image::{Family, Image, Layer, Packing, digest, hex, small};
use crate::support::scripted_registry::{Answer, Expect, Registry, get, post};
use crate::support::tls::Authority;

/// What the daemon's API is asked under.
const API: &str = "/v1.41";

fn json(value: &serde_json::Value) -> Answer {
    Answer::ok(value.to_string()).header("Content-Type", "application/json")
}

fn api(path: &str) -> Expect {
    get(format!("{API}{path}"))
}

fn upload() -> Expect {
    post(format!("{API}/images/load?quiet=1"))
}

fn pong() -> Answer {
    Answer::ok("OK").header("Api-Version", "1.41")
}

/// A daemon that has answered what it is.
fn docker() -> Registry {
    docker_on(Registry::start())
}

fn docker_on(daemon: Registry) -> Registry {
    says(daemon, "26.1.5", &json!({"DriverStatus": []}))
}

/// The same of this version, with this information about itself.
fn docker_that_says(version: &str, info: &serde_json::Value) -> Registry {
    says(Registry::start(), version, info)
}

fn says(daemon: Registry, version: &str, info: &serde_json::Value) -> Registry {
    daemon.on(get("/_ping"), pong());
    daemon.on(
        api("/version"),
        json(&json!({"Version": version, "Os": "linux", "Arch": "amd64"})),
    );
    daemon.on(api("/info"), json(info));
    daemon
}

/// What a daemon on this machine says of itself.
fn here() -> serde_json::Value {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    json!({"Name": name.trim_end(), "DriverStatus": []})
}

fn inspect(id: &str) -> Expect {
    api(&format!("/images/{id}/json"))
}

fn inspected(image: &Image, tags: &[&str]) -> Answer {
    let layers: Vec<_> = image
        .layers
        .iter()
        .map(|layer| digest(&layer.tar))
        .collect();
    json(&json!({
        "Id": image.config_digest(),
        "RepoTags": tags,
        "RootFS": {"Type": "layers", "Layers": layers},
    }))
}

fn absent() -> Answer {
    json(&json!({"message": "No such image"})).with_status(404)
}

fn loaded() -> Answer {
    json(&json!({"stream": "Loaded image\n"}))
}

fn layout(image: &Image) -> TempDir {
    image.layout("team/app:1")
}

/// A daemon that has nothing yet, answers uploads in this way, and has the image after the last.
fn gets<const N: usize>(daemon: &Registry, image: &Image, answers: [Answer; N]) {
    daemon.on(inspect(&image.config_digest()), absent());
    daemon.on(api("/images/json"), json(&json!([])));
    for answer in answers {
        daemon.on(upload(), answer);
    }
    let there = inspected(image, &["team/app:1"]);
    daemon.on(inspect(&image.config_digest()), there);
}

/// What fetchdocker builds of an image in a layout.
fn write_script(script: &Path, image: &Image, layout: &Path, names: &serde_json::Value) {
    let blob = |hex: String| layout.join("blobs/sha256").join(hex);
    let layers: Vec<_> = image.layers.iter().map(|layer| blob(layer.hex())).collect();
    let mut text = json!({
        "repoTags": [],
        "manifest": String::from_utf8(image.manifest.clone()).unwrap(),
        "config": blob(hex(&image.config)),
        "layers": layers,
    });
    let names = names.as_object().unwrap().clone();
    text.as_object_mut().unwrap().extend(names);
    fs::write(script, text.to_string()).unwrap();
}

fn load(daemon: &Registry, layout: &TempDir) -> Run {
    let host = format!("tcp://{}", daemon.name());
    hocker(["load", "--retries", "0", "--host", &host]).arguments([layout.path()])
}

/// The members of an archive.
fn members(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    tar::Archive::new(archive)
        .entries()
        .unwrap()
        .map(|entry| {
            let mut entry = entry.unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            (entry.path().unwrap().display().to_string(), content)
        })
        .collect()
}

fn uploads(daemon: &Registry) -> Vec<BTreeMap<String, Vec<u8>>> {
    let requests = daemon.requests();
    let posts = requests.iter().filter(|request| request.method == "POST");
    posts.map(|request| members(&request.body)).collect()
}

#[test]
fn sends_an_archive_and_makes_sure_of_the_image() {
    let image = small();
    let layout = layout(&image);
    let daemon = docker();
    gets(&daemon, &image, [loaded()]);
    let outcome = load(&daemon, &layout).run().done();
    assert_eq!(outcome.text(), format!("{}\n", image.config_digest()));
    let outcome = outcome.says("sent 2 of 2 layers, 0.1 of 0.1 MB; 0 were there\n");
    drop(outcome);
    let sent = uploads(&daemon).remove(0);
    for layer in &image.layers {
        assert!(sent[&format!("blobs/sha256/{}", layer.hex())] == layer.blob);
    }
}

#[test]
fn an_answer_that_is_garbage_is_not_believed() {
    let image = small();
    let layout = layout(&image);
    for broken in 0..5 {
        let garbage = |answer: Answer, at: usize| {
            if at == broken {
                Answer::ok("<html>hello</html>")
            } else {
                answer
            }
        };
        let daemon = Registry::start();
        daemon.on(get("/_ping"), pong());
        let version = json(&json!({"Version": "26.1.5", "Os": "linux", "Arch": "amd64"}));
        daemon.on(api("/version").perhaps(), garbage(version, 0));
        let info = json(&json!({"DriverStatus": []}));
        daemon.on(api("/info").perhaps(), garbage(info, 1));
        let inspected = garbage(absent(), 2);
        daemon.on(inspect(&image.config_digest()).perhaps(), inspected);
        let list = garbage(json(&json!([])), 3);
        daemon.on(api("/images/json").perhaps(), list);
        daemon.on(upload().perhaps(), garbage(loaded(), 4));
        let outcome = load(&daemon, &layout).run().failed(7);
        outcome.says("answers something else than was asked for");
        assert_eq!(uploads(&daemon).len(), usize::from(broken == 4));
    }
}

#[test]
fn what_speaks_no_usable_version_is_no_daemon() {
    let layout = layout(&small());
    for (answer, words) in [
        (Answer::ok("OK"), "offers no Docker Engine API"),
        (
            Answer::ok("OK").header("Api-Version", "1.18"),
            "offers version 1.18 of its API",
        ),
        (
            Answer::ok("OK").header("Api-Version", "what"),
            "offers version what of its API",
        ),
    ] {
        let daemon = Registry::start();
        daemon.on(get("/_ping"), answer);
        load(&daemon, &layout).run().failed(7).says(words);
    }
}

#[test]
fn answers_without_end_are_not_read_to_it() {
    let image = small();
    let layout = layout(&image);
    let daemon = docker();
    daemon.on(inspect(&image.config_digest()), absent());
    let endless = || Answer::repeated(b"{\"stream\":\"x\"}\n".repeat(1 << 16), 1 << 10).chunked();
    daemon.on(api("/images/json"), endless());
    load(&daemon, &layout)
        .run()
        .failed(7)
        .says("is larger than");

    let daemon = docker();
    daemon.on(inspect(&image.config_digest()), absent());
    daemon.on(api("/images/json"), json(&json!([])));
    daemon.on(upload(), endless());
    load(&daemon, &layout)
        .run()
        .failed(7)
        .says("is larger than");
}

#[test]
fn a_full_disk_is_told_and_no_reason_to_send_again() {
    let image = small();
    let layout = layout(&image);
    let base = Image::new(Family::Docker, &["/x"], vec![image.layers[0].clone()]);
    let daemon = docker();
    daemon.on(inspect(&image.config_digest()), absent());
    daemon.on(
        api("/images/json"),
        json(&json!([{"Id": base.config_digest()}])),
    );
    daemon.on(inspect(&base.config_digest()), inspected(&base, &[]));
    let message = "write /var/lib/docker/tmp/x: no space left on device";
    daemon.on(
        upload(),
        json(&json!({"errorDetail": {"message": message}, "error": message})),
    );
    load(&daemon, &layout)
        .run()
        .failed(1)
        .says(message)
        .says("hint: make room");
}

#[test]
fn a_layer_that_was_there_and_is_gone_is_sent_after_all() {
    let image = small();
    let layout = layout(&image);
    let base = Image::new(Family::Docker, &["/x"], vec![image.layers[0].clone()]);
    let daemon = docker();
    daemon.on(inspect(&image.config_digest()), absent());
    daemon.on(
        api("/images/json"),
        json(&json!([{"Id": digest(b"gone")}, {"Id": base.config_digest()}])),
    );
    daemon.on(inspect(&digest(b"gone")), absent());
    daemon.on(inspect(&base.config_digest()), inspected(&base, &[]));
    let message = "open blobs/sha256/x: no such file or directory";
    daemon.on(
        upload(),
        json(&json!({"errorDetail": {"message": message}})),
    );
    daemon.on(upload(), loaded());
    daemon.on(
        inspect(&image.config_digest()),
        inspected(&image, &["team/app:1"]),
    );
    load(&daemon, &layout)
        .run()
        .done()
        .says("sending all: open blobs/")
        .says("sent 2 of 2 layers");
    let uploads = uploads(&daemon);
    let lower = format!("blobs/sha256/{}", image.layers[0].hex());
    let upper = format!("blobs/sha256/{}", image.layers[1].hex());
    let has: Vec<_> = uploads
        .iter()
        .map(|sent| (sent.contains_key(&lower), sent.contains_key(&upper)))
        .collect();
    assert_eq!(has, [(false, true), (true, true)]);
}

#[test]
fn a_daemon_that_dies_while_it_loads_is_unavailable_and_the_record_stays_open() {
    let image = small();
    let layout = layout(&image);
    for died in [
        Answer::close_before_head(),
        Answer::reset_before_head(),
        loaded().chunked().close_after(5),
    ] {
        let state = tempfile::tempdir().unwrap();
        let daemon = docker();
        daemon.on(inspect(&image.config_digest()), absent());
        daemon.on(api("/images/json"), json(&json!([])));
        daemon.on(upload(), died);
        load(&daemon, &layout)
            .arguments(["--state", state.path().to_str().unwrap()])
            .run()
            .failed(6);
        let record = record(state.path(), &image).unwrap();
        assert_eq!(record["complete"], false);

        // It was loaded after all, and the next run finds out.
        let daemon = docker();
        let there = inspected(&image, &["team/app:1"]);
        daemon.on(inspect(&image.config_digest()), there);
        load(&daemon, &layout)
            .arguments(["--state", state.path().to_str().unwrap()])
            .run()
            .done()
            .says("the image is there; nothing was sent");
        let record = self::record(state.path(), &image).unwrap();
        assert_eq!(record["complete"], true);
        assert_eq!(record["loaded"], true);
        assert_eq!(record["tags"], json!(["team/app:1"]));
    }
}

fn record(state: &Path, image: &Image) -> Option<serde_json::Value> {
    let text = fs::read(state.join(format!("{}.json", hex(&image.config)))).ok()?;
    Some(serde_json::from_slice(&text).unwrap())
}

#[test]
fn an_image_that_the_daemon_refuses_is_not_recorded() {
    let image = small();
    let layout = layout(&image);
    let state = tempfile::tempdir().unwrap();
    for refused in [
        json(&json!({"errorDetail": {"message": "no"}})),
        json(&json!({"message": "no"})).with_status(500),
    ] {
        let daemon = docker();
        daemon.on(inspect(&image.config_digest()), absent());
        daemon.on(api("/images/json"), json(&json!([])));
        daemon.on(upload(), refused);
        load(&daemon, &layout)
            .arguments(["--state", state.path().to_str().unwrap()])
            .run()
            .failed(1);
        assert_eq!(record(state.path(), &image), None);
    }
}

#[test]
fn a_daemon_that_says_it_has_the_image_must_have_it() {
    let image = small();
    let layout = layout(&image);
    let other = Image::new(Family::Docker, &["/other"], image.layers.clone());
    let other_layers = json(&json!({
        "Id": image.config_digest(),
        "RootFS": {"Layers": [digest(b"another")]},
    }));
    for answer in [absent(), inspected(&other, &[]), other_layers] {
        let daemon = docker();
        daemon.on(inspect(&image.config_digest()), absent());
        daemon.on(api("/images/json"), json(&json!([])));
        daemon.on(upload(), loaded());
        daemon.on(inspect(&image.config_digest()), answer);
        load(&daemon, &layout).run().failed(5);
    }
}

/// Makes a layout wrong.
type Spoil<'a> = &'a dyn Fn(&TempDir);

#[test]
fn content_that_is_wrong_never_reaches_the_archives_end() {
    let good = Layer::of_files(Packing::Gzip, &[("a", &[7; 5000])]);
    let image = Image::new(Family::Oci, &["/a"], vec![good.clone()]);
    let blob = |directory: &TempDir| directory.path().join("blobs/sha256").join(good.hex());
    let wrong: [(&str, Spoil<'_>, &[&str]); 3] = [
        ("bomb", &|_| {}, &["--max-layer-size", "1K"]),
        (
            "other bytes",
            &|layout| {
                let mut bytes = good.blob.clone();
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                fs::write(blob(layout), bytes).unwrap();
            },
            &[],
        ),
        (
            "shorter",
            &|layout| fs::write(blob(layout), &good.blob[..100]).unwrap(),
            &[],
        ),
    ];
    for (name, spoil, arguments) in wrong {
        let layout = layout(&image);
        spoil(&layout);
        // One gets layers as they are, and one decompressed.
        for daemon in [docker(), docker_that_says("26.1.5", &here())] {
            daemon.on(inspect(&image.config_digest()).perhaps(), absent());
            daemon.on(api("/images/json").perhaps(), json(&json!([])));
            // What is broken off is no request to this daemon.
            let outcome = load(&daemon, &layout).arguments(arguments).run().failed(5);
            assert!(uploads(&daemon).is_empty(), "{name}: {outcome}");
        }
    }
}

#[test]
fn a_consistent_image_of_half_an_archive_is_refused_too() {
    let whole = Layer::of_files(Packing::Gzip, &[("a", &[7; 5000])]);
    for (tar, wrong) in [
        (whole.tar[..1000].to_vec(), "ends in the middle of a member"),
        (b"junk".repeat(1000), "a member's header is none"),
    ] {
        let image = Image::new(
            Family::Oci,
            &["/a"],
            vec![Layer::of_tar(Packing::Gzip, tar)],
        );
        let layout = layout(&image);
        for daemon in [docker(), docker_that_says("26.1.5", &here())] {
            daemon.on(inspect(&image.config_digest()), absent());
            daemon.on(api("/images/json"), json(&json!([])));
            load(&daemon, &layout).run().failed(5).says(wrong);
            assert!(uploads(&daemon).is_empty());
        }
    }
}

#[test]
fn an_image_of_another_platform_is_sent_only_when_asked_for() {
    let arm = json!({"os": "linux", "architecture": "arm64"});
    let image = Image::for_platform(Family::Oci, &arm, &["/a"], small().layers);
    let layout = layout(&image);
    load(&docker(), &layout)
        .run()
        .failed(7)
        .says("linux/arm64")
        .says("--platform");
    let daemon = docker();
    let there = inspected(&image, &["team/app:1"]);
    daemon.on(inspect(&image.config_digest()), there);
    load(&daemon, &layout)
        .arguments(["--platform", "linux/arm64"])
        .run()
        .done();
}

#[test]
fn nobody_there_is_told_with_what_can_be_done() {
    let layout = layout(&small());
    let socket = layout.path().join("no-socket");
    let host = format!("unix://{}", socket.display());
    hocker(["load", "--retries", "1", "--host", &host])
        .arguments([layout.path()])
        .run()
        .failed(6)
        .says("retrying in")
        .says(&host)
        .says("No such file or directory")
        .says("hint: start the daemon");
    hocker(["load", "--host", "ssh://elsewhere"])
        .arguments([layout.path()])
        .run()
        .failed(2)
        .says("forward the socket");
    hocker(["load", "/nowhere"])
        .env("DOCKER_HOST", "what")
        .run()
        .failed(2)
        .says("DOCKER_HOST");
}

#[test]
fn the_daemon_is_found_by_variables_and_contexts() {
    let image = small();
    let layout = layout(&image);
    let there = || {
        let daemon = docker();
        let there = inspected(&image, &["team/app:1"]);
        daemon.on(inspect(&image.config_digest()), there);
        daemon
    };
    let daemon = there();
    let host = format!("tcp://{}", daemon.name());
    let run = || hocker(["load"]).arguments([layout.path()]);
    run()
        .env("DOCKER_HOST", &host)
        .env("DOCKER_CONTEXT", "none")
        .run()
        .done();

    let daemon = there();
    let configuration = tempfile::tempdir().unwrap();
    let meta = configuration
        .path()
        .join("contexts/meta")
        .join(hex(b"remote"));
    fs::create_dir_all(&meta).unwrap();
    let text = json!({"Endpoints": {"docker": {"Host": format!("tcp://{}", daemon.name())}}});
    fs::write(meta.join("meta.json"), text.to_string()).unwrap();
    run()
        .env("DOCKER_CONFIG", configuration.path())
        .env("DOCKER_CONTEXT", "remote")
        .run()
        .done();
    run()
        .env("DOCKER_CONFIG", configuration.path())
        .env("DOCKER_CONTEXT", "none")
        .run()
        .failed(1)
        .says("there is no docker context `none`");
}

#[test]
fn tls_believes_the_authority_that_is_named_and_no_other() {
    let image = small();
    let layout = layout(&image);
    let authority = Authority::new("ours");
    let certificates = tempfile::tempdir().unwrap();
    authority.write(certificates.path());
    let daemon = docker_on(Registry::start_with_tls(authority.server(&[])));
    let there = inspected(&image, &["team/app:1"]);
    daemon.on(inspect(&image.config_digest()), there);
    let run = |certificates: &Path| {
        load(&daemon, &layout)
            .env("DOCKER_TLS_VERIFY", "1")
            .env("DOCKER_CERT_PATH", certificates)
            .run()
    };
    run(certificates.path()).done();
    let other = tempfile::tempdir().unwrap();
    Authority::new("other").write(other.path());
    run(other.path()).failed(6);
}

#[test]
fn pruning_without_records_asks_nobody() {
    let state = tempfile::tempdir().unwrap();
    let missing = state.path().join("missing");
    hocker(["prune", "--host", "unix:///nowhere", "--state"])
        .arguments([&missing])
        .run()
        .done();
    assert!(!missing.exists());
}

#[test]
fn what_is_to_be_kept_must_be_known_before_anything_is_removed() {
    let state = tempfile::tempdir().unwrap();
    hocker([
        "prune",
        "--host",
        "unix:///nowhere",
        "--keep",
        "/nowhere",
        "--state",
    ])
    .arguments([state.path()])
    .run()
    .failed(3)
    .says("so nothing is removed");
}
