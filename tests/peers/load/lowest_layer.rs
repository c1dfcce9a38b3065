//! Docker's own image store gets a large lowest layer by itself, and unpacks it while it arrives.

use std::sync::mpsc;

use super::killed::Moment;
use super::{LARGE, is_about, load, small_layer};
use crate::machine::counting_socket::CountingSocket;
use crate::machine::dockerd::Dockerd;
use crate::machine::real_image::{GREETING, program_layer};
use crate::support::image::{Family, Image, Layer, Packing, hex, noise};

/// The request for the lowest layer.
const IMPORT: &str = "/images/create?fromSrc=";
/// The request for the rest of the image.
const LOAD: &str = "/images/load?";

/// An image whose large lowest layer no other image has.
fn distinct(program: &Layer, text: &str) -> Image {
    let noise = noise(LARGE);
    let files = [("noise", &noise[..]), ("text", text.as_bytes())];
    let layers = vec![
        Layer::of_files(Packing::Gzip, &files),
        program.clone(),
        small_layer(text),
    ];
    Image::new(Family::Oci, &["/hello"], layers)
}

/// The names of all images.
fn names(dockerd: &Dockerd) -> Vec<String> {
    let (images, _) = dockerd.contents();
    images
        .iter()
        .map(|image| image.split_once(' ').unwrap().1.to_owned())
        .collect()
}

#[test]
fn a_large_lowest_layer_is_sent_once_and_by_itself() {
    let dockerd = Dockerd::start();
    let socket = CountingSocket::before(dockerd.socket());
    let image = distinct(&program_layer(GREETING), "1");
    let layout = image.layout("app:1");
    let all: u64 = image
        .layers
        .iter()
        .map(|layer| layer.tar.len() as u64)
        .sum();
    let id = load(&socket.host(), layout.path())
        .arguments(["--verbose"])
        .run()
        .done()
        .says("sending the lowest layer by itself")
        .says("sent 3 of 3 layers, ")
        .text();
    let sent = socket.sent();
    is_about(sent, all);
    assert_eq!(id.trim(), image.config_digest());
    assert_eq!(names(&dockerd), ["app:1"]);
    assert_eq!(dockerd.contents().1, 3);
    assert_eq!(dockerd.run_image("app:1"), GREETING);
}

#[test]
fn a_daemon_that_refuses_a_layer_by_itself_gets_the_whole_image() {
    let dockerd = Dockerd::start();
    let socket = CountingSocket::without_pulls(dockerd.socket());
    let image = distinct(&program_layer(GREETING), "1");
    load(&socket.host(), image.layout("app:1").path())
        .arguments(["--verbose"])
        .run()
        .done()
        .says("sending an archive: cannot import a layer")
        .says("sent 3 of 3 layers, ");
    assert_eq!(names(&dockerd), ["app:1"]);
    assert_eq!(dockerd.run_image("app:1"), GREETING);
}

#[test]
fn a_wrong_layer_leaves_nothing_of_the_lowest_one() {
    let dockerd = Dockerd::start();
    let image = distinct(&program_layer(GREETING), "1");
    for layer in &image.layers {
        let layout = image.layout("app:1");
        let blob = layout.path().join("blobs/sha256").join(hex(&layer.blob));
        let mut bytes = layer.blob.clone();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(blob, bytes).unwrap();
        load(&dockerd.host(), layout.path()).run().failed(5);
        assert_eq!(dockerd.contents(), (vec![], 0));
    }
}

#[test]
fn a_daemon_without_room_for_the_lowest_layer_keeps_nothing_of_it() {
    let dockerd = Dockerd::with_disk_of(6);
    let image = distinct(&program_layer(GREETING), "1");
    load(&dockerd.host(), image.layout("app:1").path())
        .run()
        .failed(1)
        .says("the daemon has no space for decompressed layers; sending compressed layers")
        .says("no space left on device");
    assert_eq!(dockerd.contents(), (vec![], 0));
}

#[test]
fn another_load_leaves_the_temporary_name_of_one_that_runs() {
    let dockerd = Dockerd::start();
    let socket = CountingSocket::before(dockerd.socket());
    let program = program_layer(GREETING);
    let (reached, moment_reached) = mpsc::channel();
    let (go_on, other_ended) = mpsc::channel::<()>();
    socket.before_answer(IMPORT, "status", move |_| {
        reached.send(()).unwrap();
        // The sender is dropped without a word.
        let _ = other_ended.recv();
    });
    let one = distinct(&program, "1").layout("app:1");
    let running = load(&socket.host(), one.path()).start();
    moment_reached.recv().unwrap();
    let two = distinct(&program, "2").layout("app:2");
    load(&dockerd.host(), two.path()).run().done();
    let during = names(&dockerd);
    assert!(
        during.iter().any(|name| name.contains("hocker-load")),
        "{during:?}"
    );
    drop(go_on);
    running.finish().done();
    assert_eq!(names(&dockerd).len(), 2);
}

#[test]
fn a_load_or_a_daemon_that_is_killed_at_any_moment_leaves_no_name() {
    let program = program_layer(GREETING);
    let mut dockerd = Dockerd::start();
    let moments = [
        Moment::Before(IMPORT),
        Moment::Answered(IMPORT, "status"),
        Moment::Before(LOAD),
        Moment::Answered(LOAD, ""),
        Moment::Before("DELETE /"),
        Moment::Answered("DELETE /", ""),
    ];
    let kills = moments
        .into_iter()
        .flat_map(|moment| [(moment, true), (moment, false)]);
    for (number, (moment, kills_the_daemon)) in kills.enumerate() {
        let name = format!("app:{number}");
        let image = distinct(&program, &name);
        let layout = image.layout(&name);
        let socket = CountingSocket::before(dockerd.socket());
        let (reached, moment_reached) = mpsc::channel();
        let (killed, until_killed) = mpsc::channel::<()>();
        moment.act(&socket, move |_| {
            reached.send(()).unwrap();
            let _ = until_killed.recv();
        });
        let running = load(&socket.host(), layout.path())
            .arguments(["--retries", "0"])
            .start();
        moment_reached.recv().unwrap();
        if kills_the_daemon {
            dockerd.kill_and_restart();
            drop(killed);
            // The image may be complete at the last of these moments.
            let outcome = running.finish();
            assert!(matches!(outcome.code, Some(0 | 1 | 6)), "{outcome}");
        } else {
            running.kill();
            drop(killed);
        }
        socket.wait_until_idle();
        load(&dockerd.host(), layout.path()).run().done();
        assert_eq!(dockerd.image_id(&name), image.config_digest(), "{moment:?}");
        let names = names(&dockerd);
        assert_eq!(names.len(), number + 1, "{moment:?} {names:?}");
        assert_eq!(dockerd.run_image(&name), GREETING);
    }
}
