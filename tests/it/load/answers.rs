//! What daemons answer on a bad day.

use std::fs;
use std::path::Path;

use super::{
    absent, api, docker, inspect, inspected, json, layout, load, loaded, pong, upload, uploads,
};
use crate::support::image::{Family, Image, digest, hex, small};
use crate::support::scripted_registry::{Answer, Registry, get};

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
        outcome.says("sends an invalid response");
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
    // For example a registry.
    let server = Registry::start();
    server.on(get("/_ping"), Answer::status(404));
    load(&server, &layout)
        .run()
        .failed(1)
        .says("404 Not Found")
        .says("hint: check the address");
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
        .says("hint: free space on the disk");
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
        .says("sending all layers: open blobs/")
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
            .says("the daemon has the image; nothing was sent");
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
