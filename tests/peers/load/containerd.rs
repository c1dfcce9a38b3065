//! containerd itself: it gets only the blobs that it lacks, has the image unpacked and complete, and keeps nothing of
//! loads that fail.

use std::fs;
use std::path::Path;
use std::sync::mpsc;
use std::thread;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{LARGE, SMALL, image, load, records, small_layer};
use crate::machine::containerd::Containerd;
use crate::machine::counting_socket::CountingSocket;
use crate::machine::real_image::{GREETING, program_layer};
use crate::support::hocker::hocker;
use crate::support::image::{Family, Image, Layer, OCI_INDEX, Packing, digest, hex, index};

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

/// A layout whose entry is an index of this image and of one that is absent.
fn indexed(image: &Image, name: &str) -> (TempDir, String) {
    let layout = image.layout(name);
    let mut absent = image.descriptor();
    absent["digest"] = json!(digest(b"absent"));
    absent["platform"] = json!({"os": "linux", "architecture": "s390x"});
    let index = index(&[absent, image.descriptor()]);
    let blobs = layout.path().join("blobs/sha256");
    fs::write(blobs.join(hex(&index)), &index).unwrap();
    let entry = json!({"schemaVersion": 2, "manifests": [{
        "mediaType": OCI_INDEX,
        "digest": digest(&index),
        "size": index.len(),
        "annotations": {"org.opencontainers.image.ref.name": name},
    }]});
    fs::write(layout.path().join("index.json"), entry.to_string()).unwrap();
    (layout, digest(&index))
}

#[test]
fn an_index_keeps_its_digest_and_names_the_image() {
    let containerd = start();
    let image = Image::new(Family::Oci, &["/hello"], vec![program_layer(GREETING)]);
    let (layout, index) = indexed(&image, "ghcr.io/team/app:1");
    let id = load(&containerd.host(), layout.path()).run().done().text();
    assert_eq!(id.trim(), index);
    let by_digest = format!("ghcr.io/team/app@{index}");
    assert_eq!(
        names(&containerd, "default"),
        ["ghcr.io/team/app:1".to_owned(), by_digest.clone()]
    );
    for name in ["ghcr.io/team/app:1", &by_digest] {
        is_whole(&containerd, "default", name);
        assert!(containerd.run_image("default", name).contains(GREETING));
    }
    load(&containerd.host(), layout.path())
        .run()
        .done()
        .says("nothing was sent");
}

#[test]
fn kubernetes_gets_the_names_and_labels_of_a_pull() {
    let containerd = start();
    let image = Image::new(Family::Oci, &["/hello"], vec![program_layer(GREETING)]);
    let layout = image.layout("app:1");
    let namespaced = |namespace: &str| {
        load(&containerd.host(), layout.path()).env("CONTAINERD_NAMESPACE", namespace)
    };
    namespaced("k8s.io").run().done().says("sent 1 of 1 layers");
    let digest = image.digest();
    let expected = [
        "docker.io/library/app:1".to_owned(),
        format!("docker.io/library/app@{digest}"),
        image.config_digest(),
    ];
    assert_eq!(names(&containerd, "k8s.io"), expected);
    let list = containerd.ctr_in("k8s.io", &["images", "list"]);
    for line in list.lines().skip(1) {
        assert!(line.contains("io.cri-containerd.image=managed"), "{line}");
        assert!(line.contains(&digest), "{line}");
    }
    is_whole(&containerd, "k8s.io", "docker.io/library/app:1");
    // Another namespace shares the content, but has names of its own.
    namespaced("k8s.io")
        .arguments(["--namespace", "team.a"])
        .run()
        .done()
        .says("sent 0 of 1 layers, 0B of ");
    assert_eq!(names(&containerd, "team.a"), ["docker.io/library/app:1"]);
    is_whole(&containerd, "team.a", "docker.io/library/app:1");
    for wrong in ["a/b", "-", ""] {
        load(&containerd.host(), layout.path())
            .arguments(["--namespace", wrong])
            .run()
            .failed(2);
    }
    namespaced("..")
        .run()
        .failed(2)
        .says("CONTAINERD_NAMESPACE");
}

#[test]
fn images_without_a_tag_have_a_name_by_digest() {
    let containerd = start();
    let image = Image::new(Family::Oci, &["/x"], vec![small_layer("x")]);
    let layout = image.layout("app:1");
    let text = fs::read_to_string(layout.path().join("index.json")).unwrap();
    let mut text: Value = serde_json::from_str(&text).unwrap();
    text["manifests"][0]["annotations"] = Value::Null;
    fs::write(layout.path().join("index.json"), text.to_string()).unwrap();
    load(&containerd.host(), layout.path()).run().done();
    assert_eq!(names(&containerd, "default"), [image.digest()]);
    is_whole(&containerd, "default", &image.digest());
    load(&containerd.host(), layout.path())
        .arguments(["--namespace", "k8s.io"])
        .run()
        .done();
    assert_eq!(names(&containerd, "k8s.io"), [image.config_digest()]);
}

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

#[test]
fn wrong_images_are_refused_and_leave_nothing() {
    let containerd = start();
    let good = image(Packing::Gzip, vec![]);
    load(&containerd.host(), good.layout("good:1").path())
        .run()
        .done();
    let before = contents(&containerd, "default");
    let with_diff_ids = |layers: Vec<Layer>, diff_ids: &[String]| {
        let platform = json!({"os": "linux", "architecture": "amd64"});
        let mut config = platform.clone();
        config["rootfs"] = json!({"type": "layers", "diff_ids": diff_ids});
        let config = serde_json::to_vec(&config).unwrap();
        Image::with_config(Family::Oci, &platform, config, layers)
    };
    let small = small_layer("small");
    let [first, second] = &good.layers[..] else {
        panic!("two layers");
    };
    let ids = |layers: &[&Layer]| -> Vec<String> {
        layers.iter().map(|layer| digest(&layer.tar)).collect()
    };
    let wrong = ids(&[first]);
    let bomb = Layer::of_files(Packing::Gzip, &[("zeros", &vec![0; 16 << 20])]);
    let cases = [
        // A wrong diff ID of a new layer.
        with_diff_ids(vec![small.clone()], &[digest(b"other")]),
        // The chain exists, but it is of another layer.
        with_diff_ids(vec![small.clone()], &wrong),
        // containerd has both layers, and the chain; but the layers stand in for each other.
        with_diff_ids(vec![second.clone(), first.clone()], &ids(&[first, second])),
        Image::new(Family::Oci, &[], vec![first.clone(), bomb]),
    ];
    for (number, image) in cases.iter().enumerate() {
        let layout = image.layout("bad:1");
        let state = tempfile::tempdir().unwrap();
        let outcome = load(&containerd.host(), layout.path())
            .arguments(["--max-layer-size", "10M", "--state"])
            .arguments([state.path()])
            .run()
            .failed(5);
        assert_eq!(
            contents(&containerd, "default"),
            before,
            "{number}: {outcome}"
        );
        assert_eq!(records(state.path()), Vec::<Value>::new(), "{number}");
    }
    // A blob whose bytes are not those of its digest.
    let changed = Image::new(Family::Oci, &[], vec![first.clone(), small.clone()]);
    let layout = changed.layout("bad:1");
    let path = layout.path().join("blobs/sha256").join(small.hex());
    let mut bytes = small.blob.clone();
    bytes[12] ^= 1;
    fs::write(path, bytes).unwrap();
    load(&containerd.host(), layout.path()).run().failed(5);
    assert_eq!(contents(&containerd, "default"), before);
    assert_eq!(names(&containerd, "default"), ["docker.io/library/good:1"]);
    // An archive that ends early is a matter of containerd, which unpacks it.
    let half = Layer::of_tar(Packing::Gzip, small.tar[..514].to_vec());
    let half = Image::new(Family::Oci, &[], vec![half]);
    load(&containerd.host(), half.layout("bad:1").path())
        .run()
        .failed(1)
        .says("cannot unpack the layer");
    assert_eq!(contents(&containerd, "default"), before);
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

fn prune(containerd: &Containerd, state: &Path, arguments: &[&str]) -> Vec<String> {
    let outcome = hocker(["prune", "--host", &containerd.host(), "--state"])
        .arguments([state])
        .arguments(arguments)
        .run()
        .done();
    outcome.text().lines().map(str::to_owned).collect()
}

#[test]
fn prune_removes_what_no_container_uses_and_nobody_else_named() {
    let containerd = start();
    let state = tempfile::tempdir().unwrap();
    let images = ["old", "kept", "used", "shared"].map(|name| {
        let layers = vec![program_layer(GREETING), small_layer(name)];
        (name, Image::new(Family::Oci, &["/hello"], layers))
    });
    for (name, image) in &images {
        let layout = image.layout(&format!("app:{name}"));
        load(&containerd.host(), layout.path())
            .arguments(["--state", state.path().to_str().unwrap()])
            .run()
            .done();
    }
    let [(_, old), (_, kept), (_, used), (_, shared)] = &images;
    let name = |name: &str| format!("docker.io/library/{name}");
    containerd.ctr_in("default", &["images", "tag", &name("app:shared"), "mine"]);
    containerd.create_container("default", &name("app:used"), "container");
    // The container still uses the image after its name has moved.
    load(&containerd.host(), old.layout("app:used").path())
        .run()
        .done();
    let keep = kept.layout("app:kept");
    let keep = ["--keep", keep.path().to_str().unwrap()];
    let dry = prune(
        &containerd,
        state.path(),
        &[&keep[..], &["--dry-run"]].concat(),
    );
    assert_eq!(
        dry,
        Vec::<String>::new(),
        "another load named the old image"
    );
    containerd.ctr_in("default", &["images", "rm", &name("app:used")]);
    containerd.ctr_in("default", &["images", "tag", &name("app:shared"), "x"]);
    assert_eq!(prune(&containerd, state.path(), &keep), [old.digest()]);
    assert_eq!(
        names(&containerd, "default"),
        [name("app:kept"), "mine".to_owned(), "x".to_owned()]
    );
    assert_eq!(containerd.digest("mine"), shared.digest());
    assert_ne!(containerd.digest("mine"), used.digest());
    is_whole(&containerd, "default", &name("app:kept"));
}

#[test]
fn prune_keeps_the_image_of_a_container() {
    let containerd = start();
    let state = tempfile::tempdir().unwrap();
    let image = Image::new(Family::Oci, &["/hello"], vec![program_layer(GREETING)]);
    load(&containerd.host(), image.layout("app:1").path())
        .arguments(["--state", state.path().to_str().unwrap(), "--tag", "app:2"])
        .run()
        .done();
    containerd.create_container("default", "docker.io/library/app:1", "container");
    // Its snapshot still stands on the image's layers.
    containerd.ctr_in("default", &["images", "rm", "docker.io/library/app:1"]);
    assert_eq!(prune(&containerd, state.path(), &[]), Vec::<String>::new());
    containerd.ctr_in("default", &["containers", "delete", "container"]);
    assert_eq!(prune(&containerd, state.path(), &[]), [image.digest()]);
    containerd.collect_garbage("default");
    assert_eq!(contents(&containerd, "default"), Vec::<String>::new());
}

#[test]
fn other_servers_are_told_apart() {
    let image = Image::new(Family::Oci, &["/x"], vec![small_layer("x")]);
    let layout = image.layout("app:1");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("containerd.sock");
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let server = thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 64];
        assert!(stream.read(&mut request).unwrap() > 0);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    });
    load(&format!("unix://{}", path.display()), layout.path())
        .run()
        .failed(7)
        .says("is not containerd")
        .says("hint: name Docker's or Podman's socket with unix://");
    server.join().unwrap();
    hocker(["load", "--retries", "0", "--host", "containerd:///nowhere"])
        .arguments([layout.path()])
        .run()
        .failed(6)
        .says("cannot connect to containerd at /nowhere")
        .says("hint: start containerd");
    hocker(["load", "--host", "tcp://127.0.0.1:1", "--namespace", "x"])
        .arguments([layout.path()])
        .run()
        .failed(2)
        .says("cannot use --namespace with a daemon that is not containerd");
    let containerd = start();
    for address in [
        containerd.socket().display().to_string(),
        format!("unix://{}", containerd.socket().display()),
    ] {
        load("containerd://", layout.path())
            .env("CONTAINERD_ADDRESS", address)
            .run()
            .done();
    }
    load("containerd://", layout.path())
        .env("CONTAINERD_ADDRESS", "relative")
        .run()
        .failed(2)
        .says("CONTAINERD_ADDRESS");
}
