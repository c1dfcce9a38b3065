//! What is expected of the layers' sizes, and what comes of it when it is wrong: never another archive.

use std::fs;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use super::{image_of, run};
use crate::support::files::listing;
use crate::support::image::{Family, Image, Layer, Packing, blob_answer, blob_path, digest, noise};
use crate::support::scripted_registry::{Answer, Registry, Request, get};

/// A layer of one file that does not compress, or does.
fn layer(packing: Packing, content: &[u8]) -> Layer {
    Layer::of_files(packing, &[("x", content)])
}

/// A plain layer that is said to be compressed, and that would then have `size` bytes: tar has an end of its own,
/// behind which anything may come.
fn mistaken(mut layer: Layer, size: usize) -> Layer {
    layer.tar.extend([0; 1024]);
    layer.tar.extend(u32::try_from(size).unwrap().to_le_bytes());
    layer.blob = layer.tar.clone();
    layer
}

#[test]
fn an_archive_from_disk_does_not_depend_on_what_the_layers_say_of_their_sizes() {
    let last = layer(Packing::Gzip, &noise(3000));
    let text = b"layer".repeat(200_000);
    let few = noise(400_000);
    for (what, first) in [
        ("right", layer(Packing::Gzip, &few)),
        ("unsaid", layer(Packing::Zstd, &few)),
        ("plain", layer(Packing::Plain, &few)),
        ("too small", layer(Packing::GzipMembers, &text)),
        ("too small", mistaken(layer(Packing::Gzip, &few), 402_000)),
        ("too large", mistaken(layer(Packing::Gzip, &few), 900_000)),
        (
            "absurd",
            mistaken(layer(Packing::Gzip, &few), 4_000_000_000),
        ),
    ] {
        let middle = layer(Packing::Gzip, &noise(9000));
        let image = Image::new(Family::Oci, &["/x"], vec![last.clone(), first, middle]);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        image.write_layout(&path.join("layout"), "1");
        // A pipe takes the layers in order, and expects nothing.
        let streamed = image_of(path, &["--out", "-", "./layout"]).run().done();
        fs::create_dir(path.join("out")).unwrap();
        image_of(path, &["--out", "out/image.tar", "./layout"])
            .run()
            .done();
        assert_eq!(listing(&path.join("out")).len(), 1, "nothing else is there");
        let written = fs::read(path.join("out/image.tar")).unwrap();
        assert!(written == streamed.stdout, "{what}");
    }
}

/// Two layers so large that it is worth to ask for the end of the first.
fn large() -> Image {
    let content = noise(9_100_000);
    Image::new(
        Family::Oci,
        &["/x"],
        vec![
            layer(Packing::Gzip, &content[..8_800_000]),
            layer(Packing::Gzip, &content),
        ],
    )
}

/// Serves an image's configuration and layers. Either says that it could come in parts, and the layers do not come
/// before the end of the larger was asked for, which is answered by `end`.
fn serve_with_end(
    registry: &Registry,
    image: &Image,
    end: impl Fn(&[u8], &Request) -> Answer + Send + Sync + 'static,
) {
    let whole = |blob: &[u8]| blob_answer(blob).header("Accept-Ranges", "bytes");
    registry.on(
        get(blob_path("team/app", &image.config_digest())),
        whole(&image.config),
    );
    let [(asked, first), (also, second)] = [channel(), channel()];
    let path = |layer: &Layer| get(blob_path("team/app", &layer.digest()));
    for (layer, wait) in image.layers.iter().zip([first, second]) {
        let (blob, wait) = (layer.blob.clone(), Mutex::new(wait));
        registry.on_each(path(layer).without("Range"), move |_| {
            let wait: &Receiver<()> = &wait.lock().unwrap();
            // The test fails, and does not hang, where nobody asks.
            wait.recv_timeout(Duration::from_secs(20)).unwrap();
            whole(&blob)
        });
    }
    let blob = image.layers[1].blob.clone();
    let range = format!("bytes={}-{}", blob.len() - 4, blob.len() - 1);
    let asked: [Sender<()>; 2] = [asked, also];
    registry.on_each(
        path(&image.layers[1]).with("Range", range),
        move |request| {
            for layer in &asked {
                layer.send(()).unwrap();
            }
            end(&blob, request)
        },
    );
    serve_parts(registry, image);
}

/// Serves parts of the layers, where the machine is so busy that their connections seem slow.
fn serve_parts(registry: &Registry, image: &Image) {
    for layer in &image.layers {
        let blob = layer.blob.clone();
        let path = blob_path("team/app", &layer.digest());
        registry.on_each(get(path).having("Range").perhaps(), move |request| {
            Answer::ranged(&blob, request)
        });
    }
}

/// Fetches an image whose blobs come with these `Accept-Ranges`, and says whether the end of one was asked for.
fn asks_for_an_end(image: &Image, accept: &str) -> bool {
    let registry = Registry::start();
    let directory = tempfile::tempdir().unwrap();
    image.serve_manifest(&registry, "team/app", "1");
    let layers = image.layers.iter().map(|layer| &layer.blob);
    for blob in layers.chain([&image.config]) {
        registry.on(
            get(blob_path("team/app", &digest(blob))).without("Range"),
            blob_answer(blob).header("Accept-Ranges", accept),
        );
    }
    serve_parts(&registry, image);
    run(&registry, directory.path(), &["--out", "image.tar"]);
    registry
        .requests()
        .iter()
        .any(|request| matches!(request.range(), Some((first, Some(last))) if last - first < 100))
}

/// The end of a layer that says another size, larger by `more`.
fn lie(blob: &[u8], more: i32) -> Answer {
    let at = blob.len() - 4;
    let size = u32::from_le_bytes(blob[at..].try_into().unwrap());
    let mut lie = blob.to_vec();
    lie[at..].copy_from_slice(&size.wrapping_add_signed(more).to_le_bytes());
    Answer::partial(&lie, at, blob.len() - 1)
}

type End = fn(&[u8], &Request) -> Answer;

#[test]
fn a_registry_is_asked_for_the_end_of_a_large_layer_and_may_answer_what_it_likes() {
    let image = large();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    image.write_layout(&path.join("layout"), "1");
    let ends: [(&str, End); 7] = [
        ("right", Answer::ranged),
        ("too small", |blob, _| lie(blob, -1000)),
        ("too large", |blob, _| lie(blob, 1_000_000)),
        ("all of it", |blob, _| blob_answer(blob)),
        ("another part", |blob, _| Answer::partial(blob, 0, 3)),
        ("an error", |_, _| Answer::error(500, "UNKNOWN")),
        ("nothing", |_, _| Answer::close_before_head()),
    ];
    for (what, end) in ends {
        let registry = Registry::start();
        image.serve_manifest(&registry, "team/app", "1");
        serve_with_end(&registry, &image, end);
        let reference = format!("{}/team/app:1", registry.name());
        run(&registry, path, &["--out", "image.tar", "--force"]);
        let named = ["--tag", &reference, "--out", "-", "./layout"];
        let streamed = image_of(path, &named).run().done().stdout;
        let written = fs::read(path.join("image.tar")).unwrap();
        assert!(written == streamed, "{what}");
    }
}

#[test]
fn the_end_is_asked_of_the_mirror_that_the_layer_comes_from() {
    let image = large();
    let (registry, mirror) = (Registry::start(), Registry::start());
    let directory = tempfile::tempdir().unwrap();
    image.serve_manifest(&registry, "team/app", "1");
    serve_with_end(&mirror, &image, Answer::ranged);
    let mirrors = format!("{}={}", registry.name(), mirror.at(""));
    run(
        &registry,
        directory.path(),
        &["--mirror", &mirrors, "--out", "image.tar"],
    );
}

#[test]
fn nobody_is_asked_for_an_end_in_vain() {
    let image = large();
    assert!(!asks_for_an_end(&image, "none"), "parts are not to be had");
    let [_, large] = <[Layer; 2]>::try_from(image.layers).unwrap();
    let alone = Image::new(Family::Oci, &["/x"], vec![large.clone()]);
    assert!(!asks_for_an_end(&alone, "bytes"), "nothing comes behind it");
    let small = layer(Packing::Gzip, &noise(9000));
    let image = Image::new(Family::Oci, &["/x"], vec![small, large]);
    assert!(!asks_for_an_end(&image, "bytes"), "it is copied as soon");
}
