//! What `hocker load --state` brought, and `hocker prune` takes away again.

use serde_json::Value;
use tempfile::TempDir;

use super::{load, records, small_layer};
use crate::machine::daemon::Daemon;
use crate::machine::program;
use crate::support::hocker::hocker;
use crate::support::image::{Family, Image};

/// A daemon with a directory of records.
struct Pruned {
    daemon: Daemon,
    state: TempDir,
}

impl Pruned {
    fn new(daemon: Daemon) -> Self {
        Self {
            daemon,
            state: tempfile::tempdir().unwrap(),
        }
    }

    fn load(&self, layout: &TempDir, arguments: &[&str]) {
        load(&self.daemon.host(), layout.path())
            .arguments(["--state", self.state.path().to_str().unwrap()])
            .arguments(arguments)
            .run()
            .done();
    }

    fn client(&self, arguments: &[&str]) -> String {
        program::text(self.daemon.client().args(arguments))
    }

    /// The ids of what was removed.
    fn prune(&self, arguments: &[&str]) -> Vec<String> {
        let outcome = hocker(["prune", "--host", &self.daemon.host(), "--state"])
            .arguments([self.state.path()])
            .arguments(arguments)
            .run()
            .done();
        outcome.text().lines().map(str::to_owned).collect()
    }

    fn names(&self) -> Vec<String> {
        let (images, _) = self.daemon.contents();
        let name = |line: &String| line.split_once(' ').unwrap().1.to_owned();
        let mut names: Vec<_> = images.iter().map(name).collect();
        names.sort();
        names
    }
}

#[test]
fn what_nobody_wants_any_more_is_removed_and_nothing_else() {
    for daemon in Daemon::all() {
        check(&Pruned::new(daemon));
    }
}

fn check(machine: &Pruned) {
    let images = [
        "kept", "old", "moved", "shared", "used", "before", "foreign",
    ]
    .map(|name| {
        (
            name,
            Image::new(Family::Oci, &["/x"], vec![small_layer(name)]),
        )
    });
    let of = |wanted: &str| &images.iter().find(|(name, _)| *name == wanted).unwrap().1;
    let layout_of = |name: &str| of(name).layout(&format!("app:{name}"));
    let kept = layout_of("kept");
    machine.load(&kept, &[]);
    machine.load(&layout_of("old"), &["--tag", "extra:old"]);
    machine.load(&layout_of("moved"), &["--tag", "latest"]);
    machine.load(&layout_of("shared"), &[]);
    machine.load(&layout_of("used"), &[]);
    // Somebody else's, by the same program without records.
    for name in ["before", "foreign"] {
        load(&machine.daemon.host(), layout_of(name).path())
            .run()
            .done();
    }
    // One of them is wanted for a while under one more name.
    machine.load(&layout_of("before"), &["--tag", "mine:1"]);
    // The name `latest` moves, and somebody takes a liking to an image.
    machine.client(&["tag", "app:foreign", "docker.io/library/latest"]);
    machine.client(&["tag", "app:shared", "docker.io/library/theirs:1"]);
    let container = machine.client(&["create", "app:used"]);
    let before = machine.names();
    let id_of = |name: &str| machine.daemon.image_id(&format!("app:{name}"));
    let ids = ["used", "kept"].map(id_of);

    let keep = ["--keep", kept.path().to_str().unwrap()];
    let mut expected = ["old", "moved"].map(id_of);
    expected.sort();
    let mut tried = machine.prune(&[&keep[..], &["--dry-run"]].concat());
    tried.sort();
    assert_eq!(tried, expected);
    assert_eq!(machine.names(), before, "nothing is changed yet");

    let mut removed = machine.prune(&keep);
    removed.sort();
    assert_eq!(removed, expected);
    let left = [
        "app:before",
        "app:foreign",
        "app:kept",
        "app:used",
        "latest:latest",
        "theirs:1",
    ];
    assert_eq!(machine.names(), left);

    // What was in use goes when it is not any more; what is kept stays.
    assert_eq!(machine.prune(&keep), Vec::<String>::new());
    machine.client(&["rm", &container]);
    assert_eq!(machine.prune(&keep), [ids[0].clone()]);
    let recorded = records(machine.state.path());
    assert_eq!(recorded.len(), 1);
    assert_eq!(recorded[0]["imageId"], ids[1]);
    machine.client(&["image", "rm", "app:kept"]);
    assert_eq!(machine.prune(&[]), Vec::<String>::new());
    assert_eq!(records(machine.state.path()), Vec::<Value>::new());
}
