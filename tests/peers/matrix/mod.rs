//! The images that one meets: of both families, compressed in each way, alone, in an index, and in an index in an
//! index. Each comes from docker-registry, which skopeo filled; is built with Nix; is written in each format, which
//! skopeo reads; and is loaded into each daemon. Who names it must agree on its name everywhere. The table says what
//! was seen.

mod loaded;
mod pushed;
mod read;

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;

use crate::machine::daemon::Daemon;
use crate::machine::docker_registry::DockerRegistry;
use crate::machine::nix::Nix;
use crate::machine::real_image::{GREETING, program_layer};
use crate::support::hocker::hocker;
use crate::support::image::{Family, Layer, Packing, digest, noise};
use pushed::Expected;

const INDEXES: [(Family, &str); 2] = [
    (
        Family::Docker,
        "application/vnd.docker.distribution.manifest.list.v2+json",
    ),
    (Family::Oci, crate::support::image::OCI_INDEX),
];

/// One image of the matrix.
struct Subject<'a> {
    family: Family,
    packing: Packing,
    reference: String,
    /// Whether to run it. Under its other names it is the same.
    runs: bool,
    expected: &'a Expected,
}

impl Subject<'_> {
    /// Whether its layers have the media type that `BuildKit` writes, and that few others know.
    fn is_zstd_of_docker(&self) -> bool {
        (self.family, self.packing) == (Family::Docker, Packing::Zstd)
    }
}

#[test]
fn every_kind_of_image_has_one_name_in_the_registry_in_the_store_and_in_each_daemon() {
    let plain = [
        Layer::of_files(Packing::Plain, &[("noise", &noise(300_000))]).tar,
        program_layer(GREETING).tar,
    ];
    let daemons = Daemon::all();
    let nix = Nix::new();
    let mut table = "| image | manifest | image id | skopeo reads |".to_owned();
    for daemon in &daemons {
        write!(table, " {} |", daemon.name()).unwrap();
    }
    table.push_str("\n|---|---|---|---|");
    table.push_str(&"---|".repeat(daemons.len()));
    table.push('\n');
    for (family, index_type) in INDEXES {
        for packing in [Packing::Gzip, Packing::Zstd, Packing::Plain] {
            // One of its own: skopeo takes what another repository has, however that is compressed.
            let registry = DockerRegistry::start();
            let repository = format!("{family:?}/{packing:?}").to_lowercase();
            let expected = pushed::push(&registry, &repository, family, packing, &plain);
            pushed::push_indexes(&registry, &repository, index_type, &expected);
            for tag in ["single", "index", "nested"] {
                let subject = Subject {
                    family,
                    packing,
                    reference: format!("{}/{repository}:{tag}", registry.name()),
                    runs: tag == "single",
                    expected: &expected,
                };
                write!(
                    table,
                    "| {family:?} {packing:?} {tag} | {} | {} |",
                    &digest(&expected.manifest)[..19],
                    &digest(&expected.config)[..19],
                )
                .unwrap();
                for outcome in check(&subject, &nix, &daemons) {
                    write!(table, " {outcome} |").unwrap();
                }
                table.push('\n');
            }
        }
    }
    println!("{table}");
}

/// Takes one image all the way, and says what skopeo and the daemons make of it.
fn check(subject: &Subject<'_>, nix: &Nix, daemons: &[Daemon]) -> Vec<&'static str> {
    let (reference, expected) = (&subject.reference, subject.expected);
    let ask = |command: &str| {
        hocker([command, reference])
            .arguments(["--platform", "linux/amd64"])
            .run()
            .done()
    };
    assert!(ask("manifest").stdout == expected.manifest, "{reference}");
    assert!(ask("config").stdout == expected.config, "{reference}");

    let result = nix.built_image(&ask("docker2nix").text());
    let layout: Value =
        serde_json::from_slice(&fs::read(result.join("oci/index.json")).unwrap()).unwrap();
    assert_eq!(
        layout["manifests"][0]["digest"],
        digest(&expected.manifest),
        "{reference}"
    );
    let files = tempfile::tempdir().unwrap();
    let mut outcomes = vec![read::check(subject, &result, files.path())];
    outcomes.extend(
        daemons
            .iter()
            .map(|daemon| loaded::check(subject, &result, files.path(), daemon)),
    );
    outcomes
}
