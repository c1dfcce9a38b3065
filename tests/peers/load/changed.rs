//! Blobs that another user of the machine changes after they were verified, or while they are sent. A daemon gets what
//! was verified, or nothing.

use std::fs;
use std::path::PathBuf;

use super::{LARGE, image, load, small_layer};
use crate::machine::counting_socket::CountingSocket;
use crate::machine::daemon::Daemon;
use crate::support::image::{Family, Image, Packing, hex};

/// Puts other content into a file.
type Change = fn(&PathBuf, &[u8]);

#[test]
fn a_layer_that_is_changed_while_it_is_sent_never_gets_into_a_daemon() {
    let in_place: Change = |path, other| fs::write(path, other).unwrap();
    let by_another: Change = |path, other| {
        let new = path.with_extension("new");
        fs::write(&new, other).unwrap();
        fs::rename(new, path).unwrap();
    };
    let image = image(Packing::Gzip, vec![small_layer("good")]);
    let second = image.layers[1].clone();
    let mut flipped = second.blob.clone();
    flipped[LARGE - 1] ^= 1;
    let another = Image::new(Family::Oci, &[], vec![image.layers[0].clone()]);
    let contents = [
        ("a bit", flipped),
        ("another layer", another.layers[0].blob.clone()),
        ("its beginning", second.blob[..LARGE / 2].to_vec()),
        ("more", [&second.blob[..], b"more"].concat()),
    ];
    for daemon in Daemon::all() {
        let before = daemon.contents();
        for (name, content) in &contents {
            for change in [in_place, by_another] {
                let layout = image.layout("app:1");
                let path = layout.path().join("blobs/sha256").join(second.hex());
                let socket = CountingSocket::without_pulls(daemon.socket());
                let content = content.clone();
                // The first layer is on its way then, and much of it waits.
                socket.after(1 << 20, move || change(&path, &content));
                let outcome = load(&socket.host(), layout.path()).run().failed(5);
                assert_eq!(
                    daemon.contents(),
                    before,
                    "{} {name}: {outcome}",
                    daemon.name()
                );
            }
        }
    }
}

#[test]
fn a_layer_that_is_changed_before_it_is_fetched_never_gets_into_a_daemon() {
    let image = image(Packing::Gzip, vec![small_layer("good")]);
    let second = image.layers[1].clone();
    let mut flipped = second.blob.clone();
    flipped[LARGE - 1] ^= 1;
    for daemon in Daemon::all() {
        let Some(pull) = daemon.pull() else {
            continue;
        };
        let (images, _) = daemon.contents();
        let layout = image.layout("app:1");
        let path = layout.path().join("blobs/sha256").join(second.hex());
        let socket = CountingSocket::before(daemon.socket());
        let content = flipped.clone();
        socket.before_request(pull, move |_| fs::write(path, content).unwrap());
        load(&socket.host(), layout.path()).run().failed(5);
        assert_eq!(daemon.contents().0, images, "{}", daemon.name());
    }
}

#[test]
fn a_daemon_gets_the_configuration_that_was_verified() {
    let layers = vec![small_layer("x")];
    let good = Image::new(Family::Oci, &["/good"], layers.clone());
    let evil = Image::new(Family::Oci, &["/evil"], layers);
    for daemon in Daemon::all() {
        let layout = good.layout("app:1");
        let path = layout.path().join("blobs/sha256").join(hex(&good.config));
        let socket = CountingSocket::before(daemon.socket());
        let content = evil.config.clone();
        socket.before_request("/images/", move |_| fs::write(path, content).unwrap());
        let id = load(&socket.host(), layout.path()).run().done().text();
        assert_eq!(daemon.image_id("app:1"), id.trim(), "{}", daemon.name());
        assert!(
            daemon.inspect("app:1", "{{.Config.Cmd}}").contains("/good"),
            "{}",
            daemon.name()
        );
    }
}
