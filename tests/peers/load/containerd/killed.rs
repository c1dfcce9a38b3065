//! Loads into containerd that are killed or interrupted. The next load repairs what they left.

use std::sync::mpsc;

use tempfile::TempDir;

use super::{contents, host_of, image, indexed, is_whole, load, names, small_layer, start};
use crate::load::LARGE;
use crate::machine::containerd::Containerd;
use crate::machine::counting_socket::CountingSocket;
use crate::support::hocker::{Outcome, Run};
use crate::support::image::{Family, Image, Packing};

/// The image that loads are interrupted with: its layers are large.
fn large(name: &str) -> (Image, TempDir) {
    let image = image(Packing::Gzip, vec![small_layer(name)]);
    let layout = image.layout(name);
    (image, layout)
}

/// Moments of a load: the bytes that were sent, or what is about to be sent.
#[derive(Clone, Copy, Debug)]
enum Moment {
    Sent(u64),
    Before(&'static str),
}

impl Moment {
    /// From the first question to the last name.
    const OF_A_LOAD: [Self; 9] = [
        Self::Sent(600),
        // The lease, after its lock.
        Self::Before("containerd.io/gc.expire"),
        Self::Sent(2_000),
        Self::Sent(LARGE as u64 / 2),
        Self::Sent(LARGE as u64 * 3 / 2),
        // The digest of a snapshot's name, and the names of the image, are not compressed.
        Self::Before("extract-"),
        Self::Before("docker.io/library/app:1"),
        Self::Before("docker.io/library/app@"),
        Self::Before("io.cri-containerd.image"),
    ];

    /// Stops the load at this moment. Returns a receiver that gets a message then, and a sender whose drop lets the load
    /// go on.
    fn stop(self, socket: &CountingSocket) -> (mpsc::Receiver<()>, mpsc::Sender<()>) {
        let (reached, moment_reached) = mpsc::channel();
        let (go_on, until_then) = mpsc::channel::<()>();
        let act = move || {
            reached.send(()).unwrap();
            let _ = until_then.recv();
        };
        match self {
            Self::Sent(bytes) => socket.after(bytes, act),
            Self::Before(text) => socket.before_request(text, move |_| act()),
        }
        (moment_reached, go_on)
    }
}

/// An image with an index whose layers are large, its layout, and what names it in the namespace of Kubernetes.
struct Indexed {
    image: Image,
    layout: TempDir,
    index: String,
    names: Vec<String>,
}

impl Indexed {
    fn new() -> Self {
        let image = image(Packing::Gzip, vec![small_layer("app:1")]);
        let (layout, index) = indexed(&image, "app:1");
        let mut names = vec![
            "docker.io/library/app:1".to_owned(),
            format!("docker.io/library/app@{index}"),
            format!("docker.io/library/app@{}", image.digest()),
            image.config_digest(),
        ];
        names.sort();
        Self {
            image,
            layout,
            index,
            names,
        }
    }

    fn load(&self, host: &str) -> Run {
        load(host, self.layout.path()).arguments(["--namespace", "k8s.io"])
    }

    /// Loads the image after another load did not end, and demands that nothing else is left.
    fn load_again(&self, containerd: &Containerd, moment: Moment) -> Outcome {
        let again = self.load(&containerd.host()).run().done();
        assert_eq!(again.text().trim(), self.index);
        assert_eq!(names(containerd, "k8s.io"), self.names, "{moment:?}");
        for name in &self.names {
            is_whole(containerd, "k8s.io", name);
        }
        // Three layers, config, manifest and index.
        let blobs = containerd.ctr_in("k8s.io", &["content", "list", "--quiet"]);
        assert_eq!(blobs.lines().count(), 6, "{moment:?}: {again}");
        let snapshots = containerd.ctr_in("k8s.io", &["snapshots", "list"]);
        assert_eq!(snapshots.lines().count(), 4, "{moment:?}: {snapshots}");
        again
    }
}

#[test]
fn a_load_that_is_killed_is_continued_by_the_next_and_leaves_nothing() {
    for moment in Moment::OF_A_LOAD {
        // Namespaces would share the content.
        let containerd = start();
        let image = Indexed::new();
        let socket = CountingSocket::before(containerd.socket());
        let (moment_reached, go_on) = moment.stop(&socket);
        let running = image.load(&host_of(&socket)).start();
        moment_reached.recv().unwrap();
        running.kill();
        drop(go_on);
        let again = image.load_again(&containerd, moment);
        if let Moment::Sent(sent) = moment
            && sent > LARGE as u64
        {
            let layers = image.image.layers.iter();
            let all: u64 = layers.map(|layer| layer.blob.len() as u64).sum();
            let all = hocker::size::Size(all);
            again.never_says(&format!("{all} of {all}")).says("sent ");
        }
    }
}

#[test]
fn a_containerd_that_is_killed_gets_the_image_next_time() {
    let mut containerd = start();
    let image = Indexed::new();
    for moment in Moment::OF_A_LOAD {
        let socket = CountingSocket::before(containerd.socket());
        let (moment_reached, go_on) = moment.stop(&socket);
        let running = image
            .load(&host_of(&socket))
            .arguments(["--retries", "0"])
            .start();
        moment_reached.recv().unwrap();
        containerd.kill_and_restart();
        drop(go_on);
        running.finish().failed(6);
        image.load_again(&containerd, moment);
        for name in &image.names {
            containerd.ctr_in("k8s.io", &["images", "rm", name]);
        }
        containerd.collect_garbage("k8s.io");
        assert_eq!(contents(&containerd, "k8s.io"), Vec::<String>::new());
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
