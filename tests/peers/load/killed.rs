//! Loads that end as `kill -9` ends them, and daemons that do, while the daemon fetches the image. The next load repairs
//! what they left.

use std::sync::mpsc;

use super::pull::{daemons, has_no_temporary_names};
use super::{image, load, small_layer};
use crate::machine::counting_socket::CountingSocket;
use crate::machine::daemon::{Daemon, Store};
use crate::machine::podman::Podman;
use crate::machine::program;
use crate::machine::real_image::{GREETING, program_layer};
use crate::support::image::{Image, Layer, Packing};

/// When something is killed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Moment {
    /// Before the daemon gets a request.
    Before(&'static str),
    /// When the daemon answers a request with this, before the client gets the answer.
    Answered(&'static str, &'static str),
}

impl Moment {
    /// From the first question to the last answer.
    fn of_a_load(daemon: &Daemon) -> [Self; 10] {
        let pull = daemon.pull().unwrap();
        [
            Self::Before("/images/sha256:"),
            Self::Before("/images/json"),
            Self::Before(pull),
            Self::Answered(pull, "HTTP/1.1 200"),
            Self::Answered(pull, layer_fetched(daemon)),
            Self::Answered(pull, image_fetched(daemon)),
            Self::Before("/tag?"),
            Self::Answered("/tag?", ""),
            Self::Before("DELETE /"),
            Self::Answered("DELETE /", ""),
        ]
    }

    /// Does something then, with the socket through which the load goes.
    pub(super) fn act(self, socket: &CountingSocket, action: impl FnOnce(&str) + Send + 'static) {
        match self {
            Self::Before(request) => socket.before_request(request, action),
            Self::Answered(request, answer) => socket.before_answer(request, answer, action),
        }
    }
}

fn layer_fetched(daemon: &Daemon) -> &'static str {
    match daemon.store() {
        Store::Podman => "Copying config",
        Store::Docker | Store::Containerd => "Download complete",
    }
}

fn image_fetched(daemon: &Daemon) -> &'static str {
    match daemon.store() {
        Store::Podman => "Writing manifest",
        Store::Docker | Store::Containerd => "Digest:",
    }
}

/// An image that runs, and that differs from the others of this test in one layer.
fn distinct(program: &Layer, text: &str) -> Image {
    image(Packing::Gzip, vec![program.clone(), small_layer(text)])
}

#[track_caller]
fn runs(daemon: &Daemon, name: &str) {
    let told = program::told(&daemon.run(name));
    assert!(told.contains(GREETING), "{} {name}: {told}", daemon.name());
}

#[test]
fn a_load_that_is_killed_at_any_moment_is_repaired_by_the_next() {
    let program = program_layer(GREETING);
    for (daemon, _) in daemons() {
        let kept = distinct(&program, "kept").layout("kept:1");
        load(&daemon.host(), kept.path()).run().done();
        for (number, moment) in Moment::of_a_load(&daemon).into_iter().enumerate() {
            let name = format!("app:{number}");
            let layout = distinct(&program, &name).layout(&name);
            let socket = CountingSocket::before(daemon.socket());
            let (reached, moment_reached) = mpsc::channel();
            let (killed, until_killed) = mpsc::channel::<()>();
            moment.act(&socket, move |_| {
                reached.send(()).unwrap();
                // The sender is dropped without a word.
                let _ = until_killed.recv();
            });
            let running = load(&socket.host(), layout.path()).start();
            moment_reached.recv().unwrap();
            running.kill();
            drop(killed);
            socket.wait_until_idle_or_stuck();
            let id = load(&daemon.host(), layout.path()).run().done().text();
            assert_eq!(daemon.image_id(&name), id.trim(), "{moment:?}");
            has_no_temporary_names(&daemon);
            runs(&daemon, &name);
        }
        runs(&daemon, "kept:1");
    }
}

/// A fetch that ends between the record of an image and its manifest leaves this.
#[test]
fn an_image_that_podman_wrote_in_part_is_completed_by_the_next_load() {
    let podman = Podman::start();
    let layout = distinct(&program_layer(GREETING), "app").layout("app:1");
    let id = load(&podman.host(), layout.path()).run().done().text();
    podman.lose_manifest(id.trim().trim_start_matches("sha256:"));
    let inspect = || program::output(podman.podman().args(["image", "inspect", "app:1"]));
    assert!(!inspect().status.success());
    load(&podman.host(), layout.path()).run().done();
    assert!(inspect().status.success(), "{}", program::told(&inspect()));
    runs(&Daemon::of_podman(podman), "app:1");
}

#[test]
fn a_daemon_that_is_killed_while_it_fetches_gets_the_image_next_time() {
    let program = program_layer(GREETING);
    for (mut daemon, pull) in daemons() {
        let kept = distinct(&program, "kept").layout("kept:1");
        load(&daemon.host(), kept.path()).run().done();
        for (number, moment) in [
            Moment::Before(pull),
            Moment::Answered(pull, "HTTP/1.1 200"),
            Moment::Answered(pull, image_fetched(&daemon)),
            Moment::Before("/tag?"),
            Moment::Answered("/tag?", ""),
            Moment::Before("DELETE /"),
        ]
        .into_iter()
        .enumerate()
        {
            let name = format!("app:{number}");
            let layout = distinct(&program, &name).layout(&name);
            let socket = CountingSocket::before(daemon.socket());
            let (reached, moment_reached) = mpsc::channel();
            let (restarted, until_restarted) = mpsc::channel::<()>();
            moment.act(&socket, move |_| {
                reached.send(()).unwrap();
                let _ = until_restarted.recv();
            });
            let running = load(&socket.host(), layout.path())
                .arguments(["--retries", "0"])
                .start();
            moment_reached.recv().unwrap();
            daemon.kill_and_restart();
            drop(restarted);
            // The image may be complete at the last of these moments.
            let outcome = running.finish();
            assert!(matches!(outcome.code, Some(0 | 1 | 6)), "{outcome}");
            socket.wait_until_idle();
            let id = load(&daemon.host(), layout.path()).run().done().text();
            assert_eq!(daemon.image_id(&name), id.trim(), "{moment:?}");
            has_no_temporary_names(&daemon);
            runs(&daemon, &name);
        }
        runs(&daemon, "kept:1");
    }
}
