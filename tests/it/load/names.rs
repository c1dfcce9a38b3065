//! Images whose authors name them like another image's id.

use std::path::Path;

use super::{
    API, LIBPOD_INFO, api, docker, elsewhere, inspect, inspected, json, layout, load, loaded, pong,
    small, upload, write_script,
};
use crate::support::hocker::{Run, hocker};
use crate::support::image::{Family, Image, digest, hex};
use crate::support::scripted_registry::{Registry, get, post};

/// A daemon that answers as podman does.
fn podman() -> Registry {
    let daemon = Registry::start();
    daemon.on(get("/_ping"), pong().header("Libpod-Api-Version", "4.3.1"));
    daemon.on(get(LIBPOD_INFO), elsewhere());
    daemon
}

#[test]
fn an_image_that_is_found_by_a_name_like_the_id_is_not_the_image() {
    let image = small();
    let layout = layout(&image);
    let other = Image::new(Family::Docker, &["/other"], image.layers.clone());
    let (id, hex) = (image.config_digest(), hex(&image.config));
    let evil = || inspected(&other, &[&format!("docker.io/library/{id}")]);
    let nothing = || json(&json!({"message": "normalizing name"})).with_status(500);

    // It is not there: it is sent.
    let daemon = podman();
    daemon.on(inspect(&id), evil());
    daemon.on(inspect(&hex), nothing());
    daemon.on(upload(), loaded());
    daemon.on(inspect(&id), inspected(&image, &["team/app:1"]));
    load(&daemon, &layout)
        .run()
        .done()
        .says("sent 2 of 2 layers");

    // It is there, hidden by the name: it gets its own name, by an id that is nothing else.
    let daemon = podman();
    daemon.on(inspect(&id), evil());
    daemon.on(inspect(&hex), inspected(&image, &[]));
    let tag = format!("{API}/images/{hex}/tag?repo=docker.io%2Fteam%2Fapp&tag=1");
    daemon.on(post(tag), json(&json!({})));
    load(&daemon, &layout)
        .run()
        .done()
        .says("it got the names team/app:1");

    // No daemon is believed, whatever it is.
    let daemon = docker();
    daemon.on(inspect(&id), evil());
    daemon.on(api("/images/json"), json(&json!([])));
    daemon.on(upload(), loaded());
    daemon.on(inspect(&id), evil());
    load(&daemon, &layout)
        .run()
        .failed(5)
        .says(&format!("has no image {id}"));
}

#[test]
fn a_name_that_reads_like_an_id_is_given_to_no_image() {
    let image = small();
    let evil = format!("docker.io/library/{}", digest(b"another"));
    let good = layout(&image);
    let bad = image.layout(&evil);
    let script = bad.path().join("compositeImage.sh");
    let out = bad.path().join("out");
    let image_of =
        |path: &Path| hocker(["image", "--format", "docker-save", "--out"]).arguments([&out, path]);
    let image_refuses = |run: Run, code| {
        run.run().failed(code).says("is not a name for an image");
        assert!(!out.exists());
    };
    let load_refuses = |daemon: Registry| {
        let outcome = load(&daemon, &bad).run().failed(7);
        outcome.says("is not a name for an image");
    };
    load_refuses(docker());
    image_refuses(image_of(bad.path()), 7);
    image_refuses(image_of(good.path()).arguments(["--tag", &evil]), 2);
    hocker(["load", "--tag", &evil])
        .arguments([good.path()])
        .run()
        .failed(2)
        .says("is not a name for an image");
    for names in [
        json!({"repoTags": ["a:1", evil]}),
        json!({"reference": evil}),
    ] {
        write_script(&script, &image, good.path(), &names);
        // A script is read before the daemon is asked.
        load_refuses(Registry::closed());
        image_refuses(image_of(bad.path()), 7);
        image_refuses(hocker(["composite"]).arguments([&script]), 7);
    }
}
