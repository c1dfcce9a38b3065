//! `hocker serve`: what clients get.

mod conformance;
mod ranges;
mod requests;

use std::fs;
use std::io::{Read, Write};
use std::thread;

use tempfile::TempDir;

use crate::support::archive::oci;
use crate::support::hocker::hocker;
use crate::support::image::{Family, Image, Layer, Packing, blob_path, digest, gzip, noise, small};
use crate::support::serving::Serving;

fn one_layer(content: &[u8]) -> Image {
    let layer = Layer::of_files(Packing::Plain, &[("content", content)]);
    Image::new(Family::Oci, &["/content"], vec![layer])
}

#[test]
fn what_is_fetched_from_it_is_what_was_on_disk() {
    let image = small();
    let on_disk = image.layout("docker.io/library/app:1");
    let serving = Serving::start([on_disk.path()]);
    let fetched = tempfile::tempdir().unwrap();
    let reference = format!("{}/library/app", serving.name());
    for reference in [
        format!("{reference}:1"),
        format!("{reference}@{}", image.digest()),
        format!("{}/docker.io/library/app:1", serving.name()),
    ] {
        let manifest = hocker(["manifest", &reference]).run().done().stdout;
        assert!(manifest == image.manifest, "{reference}: another manifest");
        hocker(["image", "--format", "oci-dir", "--out", "app", &reference])
            .in_directory(fetched.path())
            .run()
            .done();
        for blob in [&image.config, &image.layers[0].blob, &image.layers[1].blob] {
            let hex = crate::support::image::hex(blob);
            let path = fetched.path().join("app/blobs/sha256").join(hex);
            assert!(fs::read(path).unwrap() == *blob, "{reference}: other bytes");
        }
        fs::remove_dir_all(fetched.path().join("app")).unwrap();
    }
    serving.stop().done();
}

#[test]
fn ten_images_are_served_each_under_its_name() {
    let images: Vec<(Image, TempDir)> = (0..10)
        .map(|number| {
            let image = one_layer(&noise(1000 + number));
            let name = format!("registry-{number}.example/team/app-{number}:1.{number}");
            let directory = image.layout(&name);
            (image, directory)
        })
        .collect();
    let serving = Serving::start(images.iter().map(|(_, directory)| directory.path()));
    for (number, (image, _)) in images.iter().enumerate() {
        for target in [
            format!("/v2/team/app-{number}/manifests/1.{number}"),
            format!("/v2/registry-{number}.example/team/app-{number}/manifests/1.{number}"),
            format!("/v2/team/app-{number}/manifests/1.{number}?ns=registry-{number}.example"),
            format!("/v2/team/app-{number}/manifests/{}", image.digest()),
        ] {
            let reply = serving.ask("GET", &target, "");
            assert_eq!(reply.status, 200, "{target}");
            assert!(reply.body == image.manifest, "{target}: another manifest");
        }
        // A blob of one repository is none of another.
        let other = format!("team/app-{}", (number + 1) % 10);
        let layer = image.layers[0].digest();
        assert_eq!(
            serving.ask("GET", &blob_path(&other, &layer), "").status,
            404
        );
    }
    let list = serving.ask("GET", "/v2/_catalog?n=2", "");
    assert_eq!(
        String::from_utf8(list.body).unwrap(),
        r#"{"repositories":["team/app-0","team/app-1"]}"#
    );
    serving.stop().done();
}

#[test]
fn images_that_share_a_name_are_told_at_the_start() {
    let (first, second) = (one_layer(b"first"), one_layer(b"second"));
    let (first_layout, second_layout) = (first.layout("a.io/app:1"), second.layout("z.io/app:1"));
    let serving = Serving::start([first_layout.path(), second_layout.path()]);
    assert_eq!(serving.ask("GET", "/v2/app/manifests/1", "").status, 404);
    for (registry, image) in [("a.io", &first), ("z.io", &second)] {
        let target = format!("/v2/app/manifests/1?ns={registry}");
        assert!(serving.ask("GET", &target, "").body == image.manifest);
    }
    serving
        .stop()
        .done()
        .says("app:1 is ambiguous: clients that do not name the registry get none of a.io/app:1, z.io/app:1");

    let serving = Serving::start(
        [first_layout.path(), second_layout.path()]
            .map(|path| path.to_str().unwrap())
            .into_iter()
            .chain(["--full-names"]),
    );
    assert_eq!(serving.ask("GET", "/v2/app/manifests/1", "").status, 404);
    assert_eq!(
        serving.ask("GET", "/v2/a.io/app/manifests/1", "").status,
        200
    );
    let outcome = serving.stop().done();
    assert!(!outcome.stderr.contains("may be"), "{outcome}");
}

#[test]
fn layouts_in_directories_of_one_name_are_served_and_so_is_one_with_an_unusual_name() {
    let (first, second, third) = (
        one_layer(b"first"),
        one_layer(b"second"),
        one_layer(b"third"),
    );
    let directory = tempfile::tempdir().unwrap();
    let paths = ["a/oci", "b/oci", "c/My Image"].map(|path| directory.path().join(path));
    for (image, path) in [&first, &second, &third].into_iter().zip(&paths) {
        image.write_layout(path, "1");
    }
    let serving = Serving::start(&paths);
    assert_eq!(serving.ask("GET", "/v2/oci/manifests/1", "").status, 404);
    for image in [&first, &second] {
        let target = format!("/v2/oci/manifests/{}", image.digest());
        assert!(serving.ask("GET", &target, "").body == image.manifest);
    }
    let reply = serving.ask("GET", "/v2/my-image/manifests/1", "");
    assert!(reply.body == third.manifest);
    serving.stop().done().says(&format!(
        "oci:1 is ambiguous: clients must name the digest to get one of oci:1@{}, oci:1@{}",
        first.digest(),
        second.digest()
    ));
}

#[test]
fn the_access_log_has_one_line_a_request_unless_it_is_not_wanted() {
    let image = small();
    let on_disk = image.layout("docker.io/library/app:1");
    let layer = blob_path("library/app", &image.layers[0].digest());
    let ask = |serving: &Serving| {
        serving.ask("GET", "/v2/", "User-Agent: a\"b\r\n");
        serving.ask("GET", &layer, "Range: bytes=0-9\r\n");
        serving.ask(
            "HEAD",
            "/v2/nobody/manifests/1",
            "Authorization: Bearer s3cret\r\n",
        );
        serving.send(b"nonsense\r\n\r\n");
    };
    let serving = Serving::start([on_disk.path()]);
    ask(&serving);
    let outcome = serving.stop().done().never_says("s3cret");
    let lines: Vec<&str> = outcome.stderr.lines().collect();
    let expected = [
        "\"GET /v2/ HTTP/1.1\" 200 2 \"-\" \"a\\\"b\"".to_owned(),
        format!("\"GET {layer} HTTP/1.1\" 206 10 \"-\" \"-\""),
        "\"HEAD /v2/nobody/manifests/1 HTTP/1.1\" 404 0 \"-\" \"-\"".to_owned(),
        "\"-\" 400 0 \"-\" \"-\"".to_owned(),
    ];
    assert_eq!(lines.len(), expected.len(), "{outcome}");
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.starts_with("127.0.0.1 - - ["), "{line}");
        assert!(line.ends_with(&format!(" +0000] {expected}")), "{line}");
    }

    let serving = Serving::start([on_disk.path().to_str().unwrap(), "--quiet"]);
    ask(&serving);
    assert_eq!(serving.stop().done().stderr, "");
}

#[test]
fn who_closes_its_half_of_the_connection_still_gets_the_whole_answer() {
    let image = one_layer(&noise(8 << 20));
    let on_disk = image.layout("docker.io/library/app:1");
    let serving = Serving::start([on_disk.path()]);
    // `ask` does just that.
    let reply = serving.ask(
        "GET",
        &blob_path("library/app", &image.layers[0].digest()),
        "",
    );
    assert!(
        reply.body == image.layers[0].blob,
        "{} bytes",
        reply.body.len()
    );
    serving.stop().done();
}

#[test]
fn sixty_four_clients_at_once_get_the_same_bytes_and_memory_stays_flat() {
    const CLIENTS: usize = 64;
    const LIMIT_KIB: u64 = 48 << 10;
    let image = one_layer(&noise(4 << 20));
    let layer = &image.layers[0];
    let on_disk = image.layout("docker.io/library/app:1");
    let serving = Serving::start([on_disk.path()]);
    let path = blob_path("library/app", &layer.digest());
    thread::scope(|scope| {
        for number in 0..CLIENTS {
            let (serving, path) = (&serving, &path);
            scope.spawn(move || {
                // Half of them go on where something broke off.
                let start = number % 2 * number * 1000;
                let range = format!("Range: bytes={start}-\r\n");
                let range = if start > 0 { range.as_str() } else { "" };
                let reply = serving.ask("GET", path, range);
                assert_eq!(reply.status, if start > 0 { 206 } else { 200 });
                assert!(
                    reply.body == layer.blob[start..],
                    "client {number}: other bytes"
                );
            });
        }
    });
    let peak = serving.running().peak_memory();
    assert!(peak < LIMIT_KIB, "the peak was {peak} KiB");
    let outcome = serving.stop().done();
    assert_eq!(outcome.stderr.lines().count(), CLIENTS, "{outcome}");
}

#[test]
fn a_second_signal_does_not_wait_for_what_is_under_way() {
    let image = one_layer(&noise(16 << 20));
    let on_disk = image.layout("docker.io/library/app:1");
    let serving = Serving::start([on_disk.path()]);
    let path = blob_path("library/app", &image.layers[0].digest());
    let mut client = serving.connect();
    write!(client, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    client.read_exact(&mut [0]).unwrap();
    serving.running().terminate();
    // It has heard the first signal when it no longer listens.
    while std::net::TcpStream::connect(serving.name()).is_ok() {
        thread::yield_now();
    }
    serving.stop().done();
    let mut rest = Vec::new();
    let _ = client.read_to_end(&mut rest);
    assert!(rest.len() < image.layers[0].blob.len(), "it waited");
}

#[test]
fn an_archive_is_served_by_its_names_and_a_broken_one_does_not_stop_it() {
    let image = small();
    let directory = tempfile::tempdir().unwrap();
    let (good, broken) = (
        directory.path().join("app.tar"),
        directory.path().join("b.tar"),
    );
    let archive = oci(&image, "docker.io/library/app:1").bytes();
    fs::write(&broken, &archive[..archive.len() / 2]).unwrap();
    fs::write(&good, gzip(&archive)).unwrap();
    let serving = Serving::start([broken, good]);
    let reference = format!("{}/library/app:1", serving.name());
    let manifest = hocker(["manifest", &reference]).run().done().stdout;
    assert!(manifest == image.manifest);
    let blob = blob_path("library/app", &digest(&image.layers[0].blob));
    assert!(serving.ask("GET", &blob, "").body == image.layers[0].blob);
    serving.stop().done().says("not serving ");
}

#[test]
fn a_port_in_use_gets_the_way_to_another_one() {
    let layout = small().layout("app:1");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    hocker(["serve", "--listen", &address])
        .arguments([layout.path()])
        .run()
        .failed(1)
        .says(&format!("cannot listen on {address}"))
        .says("--listen");
}
