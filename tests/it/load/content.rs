//! Images that are wrong, or for another platform.

use std::fs;

use tempfile::TempDir;

use super::{
    absent, api, docker, docker_that_says, here, inspect, inspected, json, layout, load, uploads,
};
use crate::support::image::{Family, Image, Layer, Packing, index, list_index, small};

/// Makes a layout wrong.
type Spoil<'a> = &'a dyn Fn(&TempDir);

#[test]
fn content_that_is_wrong_never_reaches_the_archives_end() {
    let good = Layer::of_files(Packing::Gzip, &[("a", &[7; 5000])]);
    let image = Image::new(Family::Oci, &["/a"], vec![good.clone()]);
    let blob = |directory: &TempDir| directory.path().join("blobs/sha256").join(good.hex());
    let wrong: [(&str, Spoil<'_>, &[&str]); 3] = [
        ("bomb", &|_| {}, &["--max-layer-size", "1K"]),
        (
            "other bytes",
            &|layout| {
                let mut bytes = good.blob.clone();
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                fs::write(blob(layout), bytes).unwrap();
            },
            &[],
        ),
        (
            "shorter",
            &|layout| fs::write(blob(layout), &good.blob[..100]).unwrap(),
            &[],
        ),
    ];
    for (name, spoil, arguments) in wrong {
        let layout = layout(&image);
        spoil(&layout);
        // One gets layers as they are, and one decompressed.
        for daemon in [docker(), docker_that_says("26.1.5", &here())] {
            daemon.on(inspect(&image.config_digest()).perhaps(), absent());
            daemon.on(api("/images/json").perhaps(), json(&json!([])));
            // What is broken off is no request to this daemon.
            let outcome = load(&daemon, &layout).arguments(arguments).run().failed(5);
            assert!(uploads(&daemon).is_empty(), "{name}: {outcome}");
        }
    }
}

#[test]
fn an_image_of_another_platform_is_sent_only_when_asked_for() {
    let arm = json!({"os": "linux", "architecture": "arm64"});
    let image = Image::for_platform(Family::Oci, &arm, &["/a"], small().layers);
    let layout = layout(&image);
    load(&docker(), &layout)
        .run()
        .failed(7)
        .says("linux/arm64")
        .says("--platform");
    // The only image that the layout has of an index.
    let amd = Image::new(Family::Oci, &["/a"], small().layers);
    let index = index(&[amd.descriptor(), image.descriptor()]);
    list_index(layout.path(), &index);
    load(&docker(), &layout)
        .run()
        .failed(7)
        .says("linux/arm64")
        .says("--platform");
    image.write_layout(layout.path(), "team/app:1");
    let daemon = docker();
    let there = inspected(&image, &["team/app:1"]);
    daemon.on(inspect(&image.config_digest()), there);
    load(&daemon, &layout)
        .arguments(["--platform", "linux/arm64"])
        .run()
        .done();
}
