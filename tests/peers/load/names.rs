//! An image whose author names it like another image's id. Podman finds it where it is asked for that id.

use std::process::Command;

use super::{load, small_layer};
use crate::machine::daemon::Daemon;
use crate::machine::podman::Podman;
use crate::machine::program;
use crate::support::hocker::hocker;
use crate::support::image::{Family, Image};

/// Podman with an image that is called by the id of the other, which it does not have.
struct Attack {
    daemon: Daemon,
    good: Image,
    evil: String,
}

impl Attack {
    fn prepare() -> Self {
        let daemon = Daemon::of_podman(Podman::start());
        let image = |text| Image::new(Family::Oci, &["/x"], vec![small_layer(text)]);
        let (good, evil) = (image("good"), image("evil"));
        load(&daemon.host(), evil.layout("evil:1").path())
            .run()
            .done();
        // Docker's API looks for the one, and podman's own for the other.
        for registry in ["docker.io/library", "localhost"] {
            let name = format!("{registry}/{}", good.config_digest());
            program::run(daemon.client().args(["tag", "evil:1", &name]));
        }
        let evil = evil.config_digest();
        // This is what is to be defended against: Docker's API, which docker(1) speaks, finds the one by the other's id.
        let mut docker = Command::new("docker");
        docker.args(["--host", &daemon.host(), "image", "inspect"]);
        let found = program::text(docker.args(["--format", "{{.Id}}", &good.config_digest()]));
        assert_eq!(found, evil);
        Self { daemon, good, evil }
    }
}

#[test]
fn podman_gets_the_image_itself_where_another_is_called_by_its_id() {
    let Attack { daemon, good, evil } = Attack::prepare();
    let layout = good.layout("good:1");
    load(&daemon.host(), layout.path())
        .run()
        .done()
        .says("sent 1 of 1 layers");
    assert_eq!(daemon.image_id("good:1"), good.config_digest());
    load(&daemon.host(), layout.path())
        .arguments(["--tag", "good:2"])
        .run()
        .done()
        .says("it got the names good:2");
    assert_eq!(daemon.image_id("good:2"), good.config_digest());
    assert_eq!(daemon.image_id("evil:1"), evil);
}

#[test]
fn prune_takes_no_image_for_the_one_whose_id_it_is_called_by() {
    let Attack { daemon, good, .. } = Attack::prepare();
    let state = tempfile::tempdir().unwrap();
    let state = state.path().to_str().unwrap();
    load(&daemon.host(), good.layout("good:1").path())
        .arguments(["--state", state])
        .run()
        .done();
    let both = daemon.contents();
    daemon.remove("good:1");
    let evil_alone = daemon.contents();
    assert_ne!(both, evil_alone);
    let prune = || hocker(["prune", "--host", &daemon.host(), "--state", state]);
    prune().run().done().says("was removed before");
    assert_eq!(daemon.contents(), evil_alone);

    load(&daemon.host(), good.layout("good:1").path())
        .arguments(["--state", state])
        .run()
        .done();
    let removed = prune().run().done();
    assert_eq!(removed.text().trim(), good.config_digest());
    assert_eq!(daemon.contents(), evil_alone);
}
