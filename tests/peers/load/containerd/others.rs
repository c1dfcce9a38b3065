//! What other clients of containerd wrote, or write at the same time.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::json;

use super::{image, indexed, is_whole, list_index, load, names, small_layer, start};
use crate::machine::containerd::Containerd;
use crate::machine::program;
use crate::machine::real_image::{GREETING, program_layer};
use crate::support::image::{Family, Image, Packing, digest};

/// The blobs of a namespace.
fn blobs(containerd: &Containerd) -> Vec<String> {
    let list = containerd.ctr_in("default", &["content", "list", "--quiet"]);
    list.lines().map(str::to_owned).collect()
}

/// Sets a label of a blob, or removes it if the value is empty.
fn label(containerd: &Containerd, blob: &str, key: &str, value: &str) {
    let label = format!("{key}={value}");
    containerd.ctr_in("default", &["content", "label", blob, &label]);
}

#[test]
fn an_image_for_another_platform_that_was_imported_before_stays() {
    let containerd = start();
    let own = Image::new(Family::Oci, &["/hello"], vec![program_layer(GREETING)]);
    let platform = json!({"os": "linux", "architecture": "arm64", "variant": "v8"});
    let layers = vec![small_layer("for another machine")];
    let other = Image::for_platform(Family::Oci, &platform, &["/hello"], layers);
    let layout = own.layout("docker.io/library/app:1");
    other.write_layout(layout.path(), "docker.io/library/app:1");
    let entries = [own.descriptor(), other.descriptor()];
    let index = list_index(layout.path(), &entries, "docker.io/library/app:1");
    let archive = layout.path().join("archive.tar");
    program::run(
        Command::new("tar")
            .arg("--directory")
            .arg(layout.path())
            .arg("--create")
            .arg("--file")
            .arg(&archive)
            .args(["oci-layout", "index.json", "blobs"]),
    );
    let import = ["images", "import", "--no-unpack", "--platform"];
    program::run(
        containerd
            .ctr()
            .args(import)
            .arg("linux/arm64")
            .arg(&archive),
    );
    let name = "docker.io/library/app:1";
    assert_eq!(containerd.digest(name), index);

    load(&containerd.host(), layout.path()).run().done();
    containerd.collect_garbage("default");
    let blobs = blobs(&containerd);
    let expected = [
        index,
        own.digest(),
        own.config_digest(),
        own.layers[0].digest(),
        other.digest(),
        other.config_digest(),
        other.layers[0].digest(),
    ];
    for blob in &expected {
        assert!(blobs.contains(blob), "{blob} of {expected:?}");
    }
    assert!(containerd.run_image("default", name).contains(GREETING));
    load(&containerd.host(), layout.path())
        .run()
        .done()
        .says("nothing was sent");
}

#[test]
fn labels_that_are_absent_or_wrong_are_written_again() {
    let containerd = start();
    let image = Image::new(Family::Oci, &["/hello"], vec![program_layer(GREETING)]);
    let (layout, index) = indexed(&image, "app:1");
    let name = "docker.io/library/app:1";
    let again = || load(&containerd.host(), layout.path()).run().done();
    again().says("sent 1 of 1 layers");
    let layer = image.layers[0].digest();
    let manifest = image.digest();
    let config = image.config_digest();
    let reference = "containerd.io/gc.ref.content";
    for (blob, key) in [
        (&config, "containerd.io/gc.ref.snapshot.overlayfs"),
        (&manifest, &format!("{reference}.l.0")),
        (&manifest, &format!("{reference}.config")),
        (&index, &format!("{reference}.m.1")),
    ] {
        label(&containerd, blob, key, "");
        again().says("sent 0 of 1 layers, 0B of ");
        is_whole(&containerd, "default", name);
        again().says("nothing was sent");
    }
    let uncompressed = "containerd.io/uncompressed";
    label(&containerd, &layer, uncompressed, &digest(b"wrong"));
    label(&containerd, &manifest, &format!("{reference}.config"), "");
    again().says("sent 0 of 1 layers, 0B of ");
    let list = containerd.ctr_in("default", &["content", "list"]);
    let diff_id = digest(&image.layers[0].tar);
    assert!(
        list.contains(&format!("{uncompressed}={diff_id}")),
        "{list}"
    );
}

#[test]
fn a_load_waits_while_another_client_writes_a_layer() {
    let containerd = start();
    let image = image(Packing::Gzip, vec![small_layer("app:1")]);
    let layout = image.layout("app:1");
    let [first, ..] = &image.layers[..] else {
        panic!("it has layers");
    };
    let reference = format!("layer-{}", first.digest());
    let mut other = containerd.ctr();
    other.args(["content", "ingest", &reference]);
    let mut other = other.stdin(Stdio::piped()).spawn().unwrap();
    let mut pipe = other.stdin.take().unwrap();
    // It writes the first megabyte as soon as it has that, and holds the lock until it ends.
    pipe.write_all(&first.blob[..first.blob.len() / 2]).unwrap();
    pipe.flush().unwrap();
    let is_open = || {
        containerd
            .ctr_in("default", &["content", "active"])
            .contains(&reference)
    };
    while !is_open() {
        std::thread::yield_now();
    }
    let mut running = load(&containerd.host(), layout.path())
        .arguments(["--verbose"])
        .start();
    running.wait_until_it_says(&format!(
        "another client writes the layer {}",
        first.digest()
    ));
    other.kill().unwrap();
    other.wait().unwrap();
    drop(pipe);
    running.finish().done();
    is_whole(&containerd, "default", "docker.io/library/app:1");
    assert_eq!(names(&containerd, "default"), ["docker.io/library/app:1"]);
}
