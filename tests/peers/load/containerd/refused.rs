//! Images that containerd must not keep, servers that are not containerd, and a containerd that cannot be used.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::thread;

use serde_json::{Value, json};

use super::{contents, image, is_whole, load, names, small_layer, start};
use crate::load::records;
use crate::machine::containerd::Containerd;
use crate::machine::program;
use crate::support::hocker::{executable, hocker};
use crate::support::image::{Family, Image, Layer, Packing, digest};

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

#[test]
fn a_user_who_may_not_use_the_socket_learns_who_may() {
    let containerd = start();
    let image = Image::new(Family::Oci, &["/x"], vec![small_layer("x")]);
    let layout = image.layout("app:1");
    let socket = containerd.socket();
    for directory in [layout.path(), socket.parent().unwrap()] {
        fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let output = program::output(
        Command::new("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(executable())
            .args(["load", "--host", &containerd.host()])
            .arg(layout.path()),
    );
    let told = program::told(&output);
    assert_eq!(output.status.code(), Some(4), "{told}");
    for text in [
        &format!("cannot connect to containerd at {}", socket.display()),
        "Permission denied",
        "hint: run this as root, for example with sudo: containerd's socket belongs to root",
    ] {
        assert!(told.contains(text), "no {text:?} in: {told}");
    }
}

#[test]
fn a_containerd_whose_disk_is_full_keeps_nothing() {
    // Both layers have 8 MiB. They do not fit, or they fit, but not what they unpack to.
    for (megabytes, what) in [
        (12, "cannot write the layer"),
        (24, "cannot unpack the layer"),
    ] {
        let containerd = Containerd::with_disk_of(megabytes);
        let large = image(Packing::Gzip, vec![]);
        load(&containerd.host(), large.layout("large:1").path())
            .run()
            .failed(1)
            .says(what)
            .says("no space left on device")
            .says("hint: free space on the disk with containerd's images");
        containerd.collect_garbage("default");
        assert_eq!(contents(&containerd, "default"), Vec::<String>::new());
        assert_eq!(names(&containerd, "default"), Vec::<String>::new());
        let small = Image::new(Family::Oci, &["/x"], vec![small_layer("x")]);
        load(&containerd.host(), small.layout("small:1").path())
            .run()
            .done();
        is_whole(&containerd, "default", "docker.io/library/small:1");
    }
}
