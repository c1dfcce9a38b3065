//! Docker's own image store, which gets only the layers that it lacks.

use std::fs;
use std::sync::mpsc;

use hocker::size::Size;

use super::{LARGE, SMALL, image, is_about, load, plain, records, small_layer};
use crate::machine::counting_socket::CountingSocket;
use crate::machine::dockerd::Dockerd;
use crate::machine::program;
use crate::machine::real_image::{GREETING, program_layer};
use crate::machine::server::free_port;
use crate::support::hocker::hocker;
use crate::support::image::{Family, Image, Layer, Packing, noise};
use crate::support::tls::Authority;

#[test]
fn only_what_is_not_there_is_sent() {
    let dockerd = Dockerd::start();
    let socket = CountingSocket::before(dockerd.socket());
    let one = image(Packing::Gzip, vec![program_layer(GREETING)]);
    let first = one.layout("team/app:1");
    let all = plain(&one.layers);

    let outcome = load(&socket.host(), first.path()).run().done();
    assert_eq!(outcome.text().trim(), one.config_digest());
    outcome
        .says("sent 3 of 3 layers, ")
        .says("; the daemon had 0");
    let sent = socket.sent();
    is_about(sent, all);
    assert_eq!(dockerd.image_id("team/app:1"), one.config_digest());
    assert_eq!(dockerd.run_image("team/app:1"), GREETING);

    let again = load(&socket.host(), first.path()).run().done();
    assert_eq!(again.text().trim(), one.config_digest());
    again.says("the daemon has the image; nothing was sent");
    let sent = socket.sent();
    assert!(sent < SMALL, "{sent}");

    load(&socket.host(), first.path())
        .arguments(["--tag", "other:2"])
        .run()
        .done()
        .says("it got the names other:2");
    let sent = socket.sent();
    assert!(sent < SMALL, "{sent}");
    assert_eq!(dockerd.image_id("other:2"), one.config_digest());

    // Another top on the same two layers, and one of these once more above it.
    let top = [program_layer("Another."), one.layers[0].clone()];
    let two = image(Packing::Gzip, vec![top[0].clone(), small_layer("x")]);
    let second = two.layout("team/app:2");
    load(&socket.host(), second.path())
        .run()
        .done()
        .says("sent 2 of 4 layers, ")
        .says("; the daemon had 2");
    let (sent, needed) = (socket.sent(), plain(&two.layers[2..]));
    assert!(sent > needed && sent < needed + SMALL, "{sent} of {needed}");
    assert_eq!(dockerd.image_id("team/app:2"), two.config_digest());
    assert_eq!(dockerd.run_image("team/app:2"), "Another.");

    let three = image(Packing::Gzip, top.to_vec());
    let third = three.layout("team/app:3");
    load(&socket.host(), third.path())
        .run()
        .done()
        .says("sent 2 of 4 layers, ");
    assert_eq!(dockerd.image_id("team/app:3"), three.config_digest());
    assert_eq!(dockerd.run_image("team/app:3"), "Another.");
}

#[test]
fn an_image_without_a_name_gets_those_that_are_asked_for() {
    let dockerd = Dockerd::start();
    let image = Image::new(Family::Oci, &["/x"], vec![small_layer("x")]);
    let nameless = image.layout("1.0");
    let id = image.config_digest();
    load(&dockerd.host(), nameless.path()).run().done();
    let (images, _) = dockerd.contents();
    assert_eq!(images, [format!("{id} <none>:<none>")]);
    load(&dockerd.host(), nameless.path())
        .arguments(["--tag", "a:1", "--tag", "ghcr.io/b/c"])
        .run()
        .done();
    let (images, _) = dockerd.contents();
    assert_eq!(
        images,
        [format!("{id} a:1"), format!("{id} ghcr.io/b/c:latest")]
    );
}

#[test]
fn what_the_daemon_loses_is_sent_again() {
    let dockerd = Dockerd::start();
    let socket = CountingSocket::before(dockerd.socket());
    let one = image(Packing::Gzip, vec![small_layer("1")]);
    let two = image(Packing::Gzip, vec![small_layer("2")]);
    let (first, second) = (one.layout("app:1"), two.layout("app:2"));

    // Before it is asked.
    load(&socket.host(), first.path()).run().done();
    program::run(dockerd.docker().args(["image", "rm", "app:1"]));
    assert_eq!(dockerd.contents(), (vec![], 0));
    load(&socket.host(), second.path())
        .run()
        .done()
        .says("sent 3 of 3 layers");
    assert_eq!(dockerd.image_id("app:2"), two.config_digest());

    // After it was asked, and before it gets the archive: more than a dozen requests take no 4 KiB.
    let mut remove = dockerd.docker();
    remove.args(["image", "rm", "app:2"]);
    socket.after(4 << 10, move || drop(program::run(&mut remove)));
    // Large enough that the archive's beginning, with the new layer in it, is what passes that mark.
    let top = Layer::of_files(Packing::Plain, &[("top", &noise(3 << 20))]);
    let three = image(Packing::Gzip, vec![top]);
    let third = three.layout("app:3");
    load(&socket.host(), third.path())
        .run()
        .done()
        .says("sending all")
        .says("sent 3 of 3 layers");
    assert_eq!(dockerd.image_id("app:3"), three.config_digest());
}

#[test]
fn two_loads_at_once_both_end_well() {
    let dockerd = Dockerd::start();
    let one = image(Packing::Gzip, vec![program_layer("One.")]);
    let two = image(Packing::Gzip, vec![program_layer("Two.")]);
    let (first, second) = (one.layout("app:1"), two.layout("app:2"));
    let state = tempfile::tempdir().unwrap();
    let running: Vec<_> = [&first, &first, &second, &second]
        .map(|layout| {
            load(&dockerd.host(), layout.path())
                .arguments(["--state", state.path().to_str().unwrap()])
                .start()
        })
        .into();
    let ids: Vec<_> = running
        .into_iter()
        .map(|running| running.finish().done().text().trim().to_owned())
        .collect();
    let expected = [&one, &one, &two, &two].map(Image::config_digest);
    assert_eq!(ids, expected);
    assert_eq!(dockerd.run_image("app:1"), "One.");
    assert_eq!(dockerd.run_image("app:2"), "Two.");
    assert_eq!(records(state.path()).len(), 2);
}

#[test]
fn a_daemon_that_is_killed_halfway_gets_the_image_next_time() {
    let mut dockerd = Dockerd::start();
    let socket = CountingSocket::before(dockerd.socket());
    let image = image(Packing::Gzip, vec![program_layer(GREETING)]);
    let layout = image.layout("app:1");
    let (reached, halfway) = mpsc::channel();
    let (go_on, killed) = mpsc::channel::<()>();
    socket.after(plain(&image.layers) / 2, move || {
        reached.send(()).unwrap();
        // The sender is dropped without a word.
        let _ = killed.recv();
    });
    let running = load(&socket.host(), layout.path())
        .arguments(["--retries", "0"])
        .start();
    halfway.recv().unwrap();
    dockerd.kill_and_restart();
    drop(go_on);
    running.finish().failed(6);
    assert_eq!(dockerd.contents(), (vec![], 0));
    load(&socket.host(), layout.path()).run().done();
    assert_eq!(dockerd.run_image("app:1"), GREETING);
}

#[test]
fn an_interrupted_load_leaves_nothing() {
    let dockerd = Dockerd::start();
    let socket = CountingSocket::before(dockerd.socket());
    let image = image(Packing::Gzip, vec![small_layer("1")]);
    let layout = image.layout("app:1");
    let (reached, halfway) = mpsc::channel();
    let (go_on, interrupted) = mpsc::channel::<()>();
    socket.after(plain(&image.layers) / 2, move || {
        reached.send(()).unwrap();
        let _ = interrupted.recv();
    });
    let running = load(&socket.host(), layout.path()).start();
    halfway.recv().unwrap();
    running.interrupt();
    assert_eq!(running.finish().code, Some(130));
    drop(go_on);
    assert_eq!(dockerd.contents(), (vec![], 0));
    load(&socket.host(), layout.path()).run().done();
    assert_eq!(dockerd.image_id("app:1"), image.config_digest());
}

#[test]
fn layers_that_the_daemon_cannot_read_are_sent_plain() {
    let dockerd = Dockerd::start();
    let mut top = program_layer(GREETING);
    top = Layer::of_tar(Packing::Zstd, top.tar);
    // One of the layers occurs twice, and one is not in zstd.
    let below = image(Packing::Zstd, vec![small_layer("x")]);
    let repeated = below.layers[0].clone();
    let image = image(Packing::Zstd, vec![small_layer("x"), repeated, top]);
    for (name, image) in [("app:1", &below), ("app:2", &image)] {
        load(&dockerd.host(), image.layout(name).path())
            .run()
            .done();
        assert_eq!(dockerd.image_id(name), image.config_digest());
    }
    assert_eq!(dockerd.run_image("app:2"), GREETING);
}

#[test]
fn layers_are_sent_plain_whatever_they_say_of_their_size() {
    let dockerd = Dockerd::start();
    let socket = CountingSocket::before(dockerd.socket());
    // A size that is right; one that is too small, so that the layer comes twice; and one that cannot be.
    let zeros = vec![0; LARGE];
    let right = Layer::of_files(Packing::Gzip, &[("zeros", &zeros)]);
    let small = Layer::of_files(Packing::GzipMembers, &[("other", &zeros)]);
    let noise = Layer::of_files(Packing::GzipMembers, &[("noise", &noise(1 << 20))]);
    let top = program_layer(GREETING);
    let image = Image::new(Family::Oci, &["/hello"], vec![right, small, noise, top]);
    let layout = image.layout("app:1");
    let outcome = load(&socket.host(), layout.path()).run().done();
    let blobs: usize = image.layers.iter().map(|layer| layer.blob.len()).sum();
    let size = Size(blobs as u64);
    outcome.says(&format!(
        "sent 4 of 4 layers, {size} of {size}; the daemon had 0"
    ));
    let needless = plain(&image.layers[1..2]) / 3;
    let (sent, expected) = (socket.sent(), plain(&image.layers) + needless);
    assert!(
        sent > expected - SMALL && sent < expected + expected / 100 + SMALL,
        "{sent} of {expected}"
    );
    assert_eq!(dockerd.image_id("app:1"), image.config_digest());
    assert_eq!(dockerd.run_image("app:1"), GREETING);
}

#[test]
fn a_daemon_on_a_port_wants_a_certificate_and_shows_one() {
    let authority = Authority::new("ours");
    let port = free_port();
    let dockerd = Dockerd::start_in(|directory| {
        authority.write(directory);
        let identity = authority.identity(&["127.0.0.1", "localhost"]);
        fs::write(directory.join("cert.pem"), identity.certificate).unwrap();
        fs::write(directory.join("key.pem"), identity.key).unwrap();
        let file = |name: &str| directory.join(name).display().to_string();
        vec![
            "--tlsverify".to_owned(),
            format!("--tlscacert={}", file("ca.pem")),
            format!("--tlscert={}", file("cert.pem")),
            format!("--tlskey={}", file("key.pem")),
            format!("--host=tcp://127.0.0.1:{port}"),
        ]
    });
    let image = image(Packing::Gzip, vec![]);
    let layout = image.layout("app:1");
    let certificates = tempfile::tempdir().unwrap();
    authority.write(certificates.path());
    let run = || {
        hocker(["load", "--retries", "0"])
            .arguments([layout.path()])
            .env("DOCKER_HOST", format!("tcp://127.0.0.1:{port}"))
            .env("DOCKER_TLS_VERIFY", "1")
            .env("DOCKER_CERT_PATH", certificates.path())
            .run()
    };
    run().failed(6);
    let identity = authority.identity(&["client"]);
    fs::write(certificates.path().join("cert.pem"), identity.certificate).unwrap();
    fs::write(certificates.path().join("key.pem"), identity.key).unwrap();
    run().done();
    assert_eq!(dockerd.image_id("app:1"), image.config_digest());
}
