//! Where the daemon is, and whom TLS believes.

use std::fs;
use std::os::unix::net::UnixListener;
use std::path::Path;

use serde_json::json;

use super::{docker, docker_on, inspect, inspected, layout, load};
use crate::support::hocker::hocker;
use crate::support::image::{hex, small};
use crate::support::scripted_registry::Registry;
use crate::support::tls::Authority;

#[test]
fn nobody_there_is_told_with_what_can_be_done() {
    let layout = layout(&small());
    let socket = layout.path().join("no-socket");
    let host = format!("unix://{}", socket.display());
    hocker(["load", "--retries", "1", "--host", &host])
        .arguments([layout.path()])
        .run()
        .failed(6)
        .never_says("retrying in")
        .says(&host)
        .says("No such file or directory")
        .says("hint: start the daemon");
    // The socket of a daemon that restarts.
    drop(UnixListener::bind(&socket).unwrap());
    hocker(["load", "--retries", "1", "--host", &host])
        .arguments([layout.path()])
        .run()
        .failed(6)
        .says("retrying in")
        .says("Connection refused")
        .says("hint: start the daemon");
    hocker(["load", "--host", "ssh://elsewhere"])
        .arguments([layout.path()])
        .run()
        .failed(2)
        .says("forward the socket");
    hocker(["load"])
        .arguments([layout.path()])
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
        .says("the docker context `none` does not exist");
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
