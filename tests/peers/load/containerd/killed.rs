//! Loads into containerd that are killed or interrupted. The next load repairs what they left.

use std::sync::mpsc;

use tempfile::TempDir;

use super::{contents, host_of, image, is_whole, load, names, small_layer, start};
use crate::load::LARGE;
use crate::machine::counting_socket::CountingSocket;
use crate::support::image::{Family, Image, Packing};

/// The image that loads are interrupted with: its layers are large.
fn large(name: &str) -> (Image, TempDir) {
    let image = image(Packing::Gzip, vec![small_layer(name)]);
    let layout = image.layout(name);
    (image, layout)
}

#[test]
fn a_load_that_is_killed_is_continued_by_the_next_and_leaves_nothing() {
    let moments: [(&str, Option<u64>); 6] = [
        ("first", Some(600)),
        ("lease", Some(2_000)),
        ("layer", Some(LARGE as u64 / 2)),
        ("second", Some(LARGE as u64 * 3 / 2)),
        ("unpack", None),
        ("names", None),
    ];
    for (moment, bytes) in moments {
        // Namespaces would share the content.
        let containerd = start();
        let (image, layout) = large("app:1");
        let socket = CountingSocket::before(containerd.socket());
        let (reached, moment_reached) = mpsc::channel();
        let (killed, until_killed) = mpsc::channel::<()>();
        let act = move || {
            reached.send(()).unwrap();
            let _ = until_killed.recv();
        };
        match (bytes, moment) {
            (Some(bytes), _) => socket.after(bytes, act),
            // The digest of a snapshot's name, and the name of the image, are not compressed.
            (None, "unpack") => socket.before_request("extract-", move |_| act()),
            (None, _) => socket.before_request("docker.io/library/app:1", move |_| act()),
        }
        let running = load(&host_of(&socket), layout.path()).start();
        moment_reached.recv().unwrap();
        running.kill();
        drop(killed);
        let again = load(&containerd.host(), layout.path()).run().done();
        let name = "docker.io/library/app:1";
        is_whole(&containerd, "default", name);
        let blobs = containerd.ctr_in("default", &["content", "list", "--quiet"]);
        assert_eq!(blobs.lines().count(), 5, "{moment}: {again}");
        assert_eq!(again.text().trim(), image.digest());
        if moment == "second" {
            let all: u64 = image
                .layers
                .iter()
                .map(|layer| layer.blob.len() as u64)
                .sum();
            let all = hocker::size::Size(all);
            let again = again.never_says(&format!("{all} of {all}"));
            again.says("sent ");
        }
    }
}

#[test]
fn the_next_load_of_another_image_removes_what_a_killed_one_left() {
    let containerd = start();
    let (_, layout) = large("app:1");
    let socket = CountingSocket::before(containerd.socket());
    let (reached, moment_reached) = mpsc::channel();
    let (killed, until_killed) = mpsc::channel::<()>();
    socket.before_request("extract-", move |_| {
        reached.send(()).unwrap();
        let _ = until_killed.recv();
    });
    let running = load(&host_of(&socket), layout.path()).start();
    moment_reached.recv().unwrap();
    // A load that runs keeps its lease.
    let other = Image::new(Family::Oci, &["/x"], vec![small_layer("other")]);
    let other = other.layout("other:1");
    load(&containerd.host(), other.path()).run().done();
    let leases = containerd.ctr_in("default", &["leases", "list", "--quiet"]);
    assert_eq!(leases.lines().count(), 1, "{leases}");
    running.kill();
    drop(killed);
    load(&containerd.host(), other.path()).run().done();
    assert_eq!(names(&containerd, "default"), ["docker.io/library/other:1"]);
    is_whole(&containerd, "default", "docker.io/library/other:1");
    let blobs = containerd.ctr_in("default", &["content", "list", "--quiet"]);
    assert_eq!(blobs.lines().count(), 3, "{blobs}");
}

#[test]
fn a_load_that_is_interrupted_leaves_nothing() {
    let containerd = start();
    for terminate in [false, true] {
        let (_, layout) = large("app:1");
        let socket = CountingSocket::before(containerd.socket());
        let (reached, moment_reached) = mpsc::channel();
        let (interrupted, until_interrupted) = mpsc::channel::<()>();
        socket.before_request("extract-", move |_| {
            reached.send(()).unwrap();
            let _ = until_interrupted.recv();
        });
        let running = load(&host_of(&socket), layout.path()).start();
        moment_reached.recv().unwrap();
        if terminate {
            running.terminate();
        } else {
            running.interrupt();
        }
        drop(interrupted);
        let outcome = running.finish();
        assert_eq!(
            outcome.code,
            Some(if terminate { 143 } else { 130 }),
            "{outcome}"
        );
        containerd.collect_garbage("default");
        assert_eq!(contents(&containerd, "default"), Vec::<String>::new());
    }
}
