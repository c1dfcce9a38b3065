//! containerd itself: it gets only the blobs that it lacks, has the image unpacked and complete, and keeps nothing of
//! loads that fail.

mod killed; // loads that end early leave nothing
mod names; // tags, digests, indexes, platforms, and the namespace of Kubernetes
mod others; // what other clients wrote, or write at the same time
mod prune; // what nobody wants any more goes, and nothing else
mod refused; // wrong images, other servers, and a containerd that cannot be used

use std::path::Path;
use std::thread;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{SMALL, image, load, small_layer};
use crate::machine::containerd::Containerd;
use crate::machine::counting_socket::CountingSocket;
use crate::machine::real_image::{GREETING, program_layer};
use crate::support::image::{Family, Image, Layer, Packing, digest, index, list_index_as};

fn start() -> Containerd {
    Containerd::start(&[], "http://127.0.0.1:1")
}

/// The address of containerd behind a counting socket.
fn host_of(socket: &CountingSocket) -> String {
    socket.host().replace("unix://", "containerd://")
}

fn names(containerd: &Containerd, namespace: &str) -> Vec<String> {
    let list = containerd.ctr_in(namespace, &["images", "list", "--quiet"]);
    list.lines().map(str::to_owned).collect()
}

/// What containerd keeps in a namespace: blobs, snapshots, leases and incomplete writes.
fn contents(containerd: &Containerd, namespace: &str) -> Vec<String> {
    let lists: [&[&str]; 4] = [
        &["content", "list", "--quiet"],
        &["snapshots", "list"],
        &["leases", "list", "--quiet"],
        &["content", "active"],
    ];
    let mut all: Vec<_> = lists
        .iter()
        .flat_map(|list| {
            let text = containerd.ctr_in(namespace, list);
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .filter(|line| !line.starts_with("KEY") && !line.starts_with("REF"))
        .collect();
    all.sort();
    all
}

/// Demands that the image is complete and unpacked, also after a garbage collection.
#[track_caller]
fn is_whole(containerd: &Containerd, namespace: &str, name: &str) {
    containerd.collect_garbage(namespace);
    let list = containerd.ctr_in(namespace, &["images", "check", &format!("name=={name}")]);
    let line = list.lines().nth(1).unwrap_or_else(|| panic!("no {name}"));
    assert!(
        line.contains(" complete ") && line.contains(" true"),
        "{line}"
    );
    let leases = containerd.ctr_in(namespace, &["leases", "list", "--quiet"]);
    assert_eq!(leases, "", "a lease was left");
    let writes = containerd.ctr_in(namespace, &["content", "active"]);
    assert_eq!(writes.lines().count(), 1, "{writes}");
}

/// A layout whose entry is an index of this image and of one that is absent, and the digest of the index.
fn indexed(image: &Image, name: &str) -> (TempDir, String) {
    let layout = image.layout(name);
    let mut absent = image.descriptor();
    absent["digest"] = json!(digest(b"absent"));
    absent["platform"] = json!({"os": "linux", "architecture": "s390x"});
    let index = list_index(layout.path(), &[absent, image.descriptor()], name);
    (layout, index)
}

/// Lets a layout list an index of these entries alone, and returns its digest.
fn list_index(layout: &Path, entries: &[Value], name: &str) -> String {
    let index = index(entries);
    list_index_as(layout, &index, name);
    digest(&index)
}

#[test]
fn it_gets_only_the_blobs_that_it_lacks_and_runs_the_image_at_once() {
    let containerd = start();
    let socket = CountingSocket::before(containerd.socket());
    let host = host_of(&socket);
    let one = image(Packing::Gzip, vec![program_layer(GREETING)]);
    let id = load(&host, one.layout("team/app:1").path())
        .run()
        .done()
        .says("sent 3 of 3 layers, ")
        .text();
    let name = "docker.io/team/app:1";
    assert_eq!(id.trim(), one.digest());
    assert_eq!(containerd.digest(name), one.digest());
    assert_eq!(containerd.content(&one.digest()), one.manifest);
    is_whole(&containerd, "default", name);
    assert!(containerd.run_image("default", name).contains(GREETING));

    let two = image(
        Packing::Gzip,
        vec![program_layer(GREETING), small_layer("changed")],
    );
    socket.sent();
    load(&host, two.layout("team/app:2").path())
        .run()
        .done()
        .says("sent 1 of 4 layers, ");
    let sent = socket.sent();
    let all: u64 = two.layers.iter().map(|layer| layer.blob.len() as u64).sum();
    assert!(sent < 2 * SMALL && sent * 100 <= all, "{sent} of {all}");
    let name = "docker.io/team/app:2";
    is_whole(&containerd, "default", name);
    assert!(containerd.run_image("default", name).contains(GREETING));

    load(&host, two.layout("team/app:2").path())
        .run()
        .done()
        .says("nothing was sent");
    load(&host, two.layout("team/app:2").path())
        .arguments(["--tag", "ghcr.io/other/name:3", "--tag", "short"])
        .run()
        .done()
        .says("it got the names ghcr.io/other/name:3, short:latest");
    assert_eq!(
        names(&containerd, "default"),
        [
            "docker.io/library/short:latest",
            "docker.io/team/app:1",
            "docker.io/team/app:2",
            "ghcr.io/other/name:3",
        ]
    );
    // The name moves.
    load(&host, one.layout("short:latest").path()).run().done();
    let short = "docker.io/library/short:latest";
    assert_eq!(containerd.digest(short), one.digest());
}

#[test]
fn every_kind_of_layer_is_unpacked() {
    let containerd = start();
    let greeting = program_layer(GREETING);
    let repack = |packing, layer: &Layer| Layer::of_tar(packing, layer.tar.clone());
    for (number, (family, packing)) in [
        (Family::Oci, Packing::Gzip),
        (Family::Oci, Packing::GzipMembers),
        (Family::Oci, Packing::Zstd),
        (Family::Oci, Packing::Plain),
        (Family::Docker, Packing::Gzip),
        (Family::Docker, Packing::Zstd),
        (Family::Docker, Packing::Plain),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("kind:{number}");
        let other = small_layer(&name);
        // A layer that occurs twice.
        let layers = [&other, &greeting, &other].map(|layer| repack(packing, layer));
        let image = Image::new(family, &["/hello"], layers.into());
        load(&containerd.host(), image.layout(&name).path())
            .run()
            .done();
        let full = format!("docker.io/library/{name}");
        is_whole(&containerd, "default", &full);
        assert!(containerd.run_image("default", &full).contains(GREETING));
    }
    let empty = Image::new(Family::Oci, &["/x"], Vec::new());
    load(&containerd.host(), empty.layout("empty:1").path())
        .run()
        .done();
    assert_eq!(
        containerd.digest("docker.io/library/empty:1"),
        empty.digest()
    );
}

#[test]
fn another_snapshotter_unpacks_what_one_has_unpacked_already() {
    let containerd = start();
    let image = Image::new(Family::Oci, &["/hello"], vec![program_layer(GREETING)]);
    let layout = image.layout("app:1");
    load(&containerd.host(), layout.path()).run().done();
    let native = || load(&containerd.host(), layout.path()).env("CONTAINERD_SNAPSHOTTER", "native");
    native().run().done().says("sent 0 of 1 layers, 0B of ");
    native().run().done().says("nothing was sent");
    let list = ["snapshots", "--snapshotter", "native", "list"];
    let list = containerd.ctr_in("default", &list);
    assert!(list.contains(&digest(&image.layers[0].tar)), "{list}");
    containerd.collect_garbage("default");
    let still = ["snapshots", "--snapshotter", "native", "list"];
    assert_eq!(containerd.ctr_in("default", &still), list);
    load(&containerd.host(), layout.path())
        .arguments(["--snapshotter", "none-such"])
        .run()
        .failed(7)
        .says("containerd has no snapshotter `none-such`; it has native, overlayfs")
        .says("hint: select one of these with --snapshotter");
}

#[test]
fn what_was_removed_from_an_image_is_sent_again() {
    let containerd = start();
    let image = image(Packing::Gzip, vec![program_layer(GREETING)]);
    let layout = image.layout("app:1");
    load(&containerd.host(), layout.path()).run().done();
    let layer = image.layers[1].digest();
    containerd.ctr_in("default", &["content", "rm", &layer]);
    containerd.collect_garbage("default");
    load(&containerd.host(), layout.path())
        .run()
        .done()
        .says("sent 1 of 3 layers");
    is_whole(&containerd, "default", "docker.io/library/app:1");
}

#[test]
fn several_loads_at_the_same_time_share_their_layers() {
    let containerd = start();
    let images: Vec<_> = (0..4)
        .map(|number| {
            let top = small_layer(&format!("top {}", number / 2));
            image(Packing::Gzip, vec![top])
        })
        .collect();
    thread::scope(|scope| {
        for (number, image) in images.iter().enumerate() {
            let host = containerd.host();
            scope.spawn(move || {
                let layout = image.layout(&format!("app:{number}"));
                load(&host, layout.path()).run().done();
            });
        }
    });
    for number in 0..4 {
        is_whole(
            &containerd,
            "default",
            &format!("docker.io/library/app:{number}"),
        );
    }
    let blobs = containerd.ctr_in("default", &["content", "list", "--quiet"]);
    // Two shared layers, and for each of two images a layer, a configuration and a manifest.
    assert_eq!(blobs.lines().count(), 8, "{blobs}");
}
