//! Podman, and Docker with containerd's store, fetch what they lack from a registry on loopback.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::mpsc;

use super::{SMALL, image, load, small_layer};
use crate::machine::counting_socket::CountingSocket;
use crate::machine::daemon::Daemon;
use crate::machine::program;
use crate::machine::real_image::{GREETING, program_layer};
use crate::support::image::{Image, Layer, Packing};

/// Names that another program tries.
const GUESSES: usize = 10_000;

fn blobs(layers: &[Layer]) -> u64 {
    layers.iter().map(|layer| layer.blob.len() as u64).sum()
}

/// The daemons that fetch images.
pub(super) fn daemons() -> impl Iterator<Item = (Daemon, &'static str)> {
    Daemon::all().into_iter().filter_map(|daemon| {
        let pull = daemon.pull()?;
        Some((daemon, pull))
    })
}

#[track_caller]
pub(super) fn has_no_temporary_names(daemon: &Daemon) {
    let (images, _) = daemon.contents();
    let is_temporary = |image: &String| image.contains("hocker-load");
    assert!(
        !images.iter().any(is_temporary),
        "{}: {images:?}",
        daemon.name()
    );
}

#[test]
fn a_daemon_fetches_only_the_layer_that_changed() {
    for (daemon, _) in daemons() {
        let socket = CountingSocket::before(daemon.socket());
        let one = image(Packing::Gzip, vec![program_layer(GREETING)]);
        let id = load(&socket.host(), one.layout("team/app:1").path())
            .run()
            .done()
            .says("sent 3 of 3 layers, ")
            .text();
        assert_eq!(id.trim(), daemon.image_id("team/app:1"));
        let two = image(
            Packing::Gzip,
            vec![program_layer(GREETING), small_layer("changed")],
        );
        let (changed, all) = (blobs(&two.layers[3..]), blobs(&two.layers));
        assert!(changed * 100 <= all);
        let size = hocker::size::Size(changed);
        load(&socket.host(), two.layout("team/app:2").path())
            .run()
            .done()
            .says(&format!("sent 1 of 4 layers, {size} of "));
        // The layers take the other way.
        let sent = socket.sent();
        assert!(sent < SMALL, "{}: {sent}", daemon.name());
        let ran = daemon.run("team/app:2");
        assert!(
            program::told(&ran).contains(GREETING),
            "{}",
            program::told(&ran)
        );
        has_no_temporary_names(&daemon);

        load(&socket.host(), two.layout("team/app:2").path())
            .arguments(["--tag", "other:2"])
            .run()
            .done()
            .says("it got the names other:2");
        daemon.remove("team/app:2");
        assert_eq!(daemon.image_id("other:2"), two_id(&daemon, &two));
    }
}

/// The id that the daemon gives an image.
fn two_id(daemon: &Daemon, image: &Image) -> String {
    if daemon.pull() == Some("/images/create?") {
        image.digest()
    } else {
        image.config_digest()
    }
}

#[test]
fn another_program_that_tries_names_at_the_port_finds_nothing() {
    for (daemon, pull) in daemons() {
        let image = image(Packing::Gzip, vec![]);
        let layout = image.layout("team/app:1");
        let socket = CountingSocket::before(daemon.socket());
        let (found, all_found) = mpsc::channel();
        let digest = image.digest();
        socket.before_request(pull, move |request| {
            found.send(guess(request, &digest)).unwrap();
        });
        load(&socket.host(), layout.path()).run().done();
        let statuses = all_found.recv().unwrap();
        assert_eq!(statuses.len(), GUESSES);
        assert!(statuses.iter().all(|status| status == "404"));
    }
}

/// The statuses of requests for an image under many names, on the port that a request to a daemon names.
fn guess(request: &str, digest: &str) -> Vec<String> {
    let request = request.replace("%3A", ":");
    let (_, port) = request.split_once("127.0.0.1:").unwrap();
    let port: String = port.chars().take_while(char::is_ascii_digit).collect();
    let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    (0..GUESSES)
        .map(|guess| {
            let path = format!("/v2/hocker-load/{guess:032x}/manifests/{digest}");
            let request = format!("HEAD {path} HTTP/1.1\r\nHost: x\r\n\r\n");
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = Vec::new();
            while !answer.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                answer.push(byte[0]);
            }
            String::from_utf8_lossy(&answer[9..12]).into_owned()
        })
        .collect()
}
