//! Everything that is parsed, fed with what is almost right: sound texts with bytes changed, left out, doubled and
//! put elsewhere. Whatever comes of it is no panic, and what is accepted holds together.

use hocker::oci::config::ImageConfig;
use hocker::oci::document::Document;
use hocker::oci::index::Index;
use hocker::oci::manifest::Manifest;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::image::{Family, index, small};
use crate::support::properties;

/// One change to a text.
#[derive(Clone, Debug)]
enum Change {
    Replace(prop::sample::Index, u8),
    Insert(prop::sample::Index, Vec<u8>),
    Remove(prop::sample::Index, usize),
    Double(prop::sample::Index, usize),
    Cut(prop::sample::Index),
}

/// What means something to one parser or another.
const MEANINGFUL: [&str; 22] = [
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "-1",
    "1e999",
    "/",
    "@",
    "=",
    "\0",
    "\r\n",
    "\u{feff}",
    "..",
    "sha256:",
    "18446744073709551616",
    "{\"\":",
    "\\ud800",
];

fn change() -> impl Strategy<Value = Change> {
    let position = any::<prop::sample::Index>;
    prop_oneof![
        (position(), any::<u8>()).prop_map(|(at, byte)| Change::Replace(at, byte)),
        (position(), vec(any::<u8>(), 1..4)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        (position(), prop::sample::select(&MEANINGFUL[..]))
            .prop_map(|(at, text)| Change::Insert(at, text.as_bytes().to_vec())),
        (position(), 1..40usize).prop_map(|(at, count)| Change::Remove(at, count)),
        (position(), 1..40usize).prop_map(|(at, count)| Change::Double(at, count)),
        position().prop_map(Change::Cut),
    ]
}

/// One of the texts with some changes.
fn almost(texts: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    (prop::sample::select(texts), vec(change(), 0..6)).prop_map(|(mut text, changes)| {
        for change in changes {
            apply(&mut text, change);
        }
        text
    })
}

fn almost_text(texts: &[&str]) -> impl Strategy<Value = String> {
    almost(texts.iter().map(|text| text.as_bytes().to_vec()).collect())
        .prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn apply(text: &mut Vec<u8>, change: Change) {
    if text.is_empty() {
        return;
    }
    match change {
        Change::Replace(at, byte) => {
            let at = at.index(text.len());
            text[at] = byte;
        }
        Change::Insert(at, bytes) => {
            let at = at.index(text.len());
            text.splice(at..at, bytes);
        }
        Change::Remove(at, count) => {
            let at = at.index(text.len());
            text.drain(at..text.len().min(at + count));
        }
        Change::Double(at, count) => {
            let at = at.index(text.len());
            let part = text[at..text.len().min(at + count)].to_vec();
            text.splice(at..at, part);
        }
        Change::Cut(at) => text.truncate(at.index(text.len())),
    }
}

/// Manifests, an index and a configuration of both families.
fn documents() -> Vec<Vec<u8>> {
    let docker = small();
    let oci = crate::support::image::Image::new(Family::Oci, &["/hello"], docker.layers.clone());
    let entries = [docker.descriptor(), oci.descriptor()];
    vec![
        index(&entries),
        docker.config.clone(),
        docker.manifest,
        oci.manifest,
    ]
}

/// Several images, several platforms.
const LOCK: &[u8] = include_bytes!("../nix/docker-images.lock.json");

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// The fuzz target's first inputs.
const LAYERS: [&[u8]; 5] = [
    include_bytes!("../../fuzz/seeds/layer/gnu.tar.gz"),
    include_bytes!("../../fuzz/seeds/layer/pax.tar"),
    include_bytes!("../../fuzz/seeds/layer/sparse-pax.tar"),
    include_bytes!("../../fuzz/seeds/layer/sparse.tar"),
    include_bytes!("../../fuzz/seeds/layer/ustar.tar"),
];

/// Several layers each, with a block of zeros between them.
const IMAGES: [&[u8]; 5] = [
    include_bytes!("../../fuzz/seeds/rootfs/attributes.tar"),
    include_bytes!("../../fuzz/seeds/rootfs/links.tar"),
    include_bytes!("../../fuzz/seeds/rootfs/opaque.tar"),
    include_bytes!("../../fuzz/seeds/rootfs/replaced.tar"),
    include_bytes!("../../fuzz/seeds/rootfs/whiteouts.tar"),
];

const CONFIGS: [&str; 3] = [
    include_str!("../../fuzz/seeds/podman_store/no-layers.txt"),
    include_str!("../../fuzz/seeds/podman_store/time.txt"),
    include_str!("../../fuzz/seeds/podman_store/two-layers.txt"),
];

/// The fuzz target's first inputs, and one that is too long for it.
const PROOFS: [&[u8]; 3] = [
    include_bytes!("../../fuzz/seeds/proof/key.json"),
    include_bytes!("../data/sigstore/provenance.json"),
    include_bytes!("../../fuzz/seeds/proof/simple.json"),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn images_of_layers_that_are_almost_right(bytes in almost(IMAGES.map(<[u8]>::to_vec).to_vec())) {
        properties::rootfs(&bytes);
    }

    #[test]
    fn stores_of_configs_that_are_almost_right(text in almost_text(&CONFIGS)) {
        properties::podman_store(&text);
    }

    #[test]
    fn layers_that_are_almost_right(bytes in almost(LAYERS.map(<[u8]>::to_vec).to_vec())) {
        properties::layer(&bytes);
    }

    #[test]
    fn documents_that_are_almost_right(bytes in almost(documents())) {
        properties::manifest(&bytes);
        properties::index(&bytes);
        properties::config(&bytes);
    }

    #[test]
    fn locks_that_are_almost_right(bytes in almost(vec![LOCK.to_vec()])) {
        properties::lock(&bytes);
    }

    #[test]
    fn compose_files_that_are_almost_right(text in almost_text(&[
        "services: {a: {image: 'x:${A:-${B}}', profiles: [p]}, b: {extends: {service: a}}, c: {<<: &m {build: .}}, d: {<<: [*m], image: !reset y}}",
        "x: &x\n  image: y:$A\nservices:\n  a:\n    <<: *x\n  b: {image: \"z\"}\n",
        "A=1\nexport B=\"${A} \\\" x\" # y\nC='d'\n",
    ])) {
        properties::compose(&text);
    }

    #[test]
    fn references_that_are_almost_right(text in almost_text(&[
        "debian",
        "ghcr.io/a/b/c:1.2-3_4",
        "localhost:5000/x@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "[::1]:5000/team/app:latest@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ])) {
        properties::reference(&text);
    }

    #[test]
    fn patterns_and_tags_that_are_almost_right(text in almost_text(&[
        "1.*-alpine\n1.27.3-alpine\n1.27.4-alpine\n1.28.0-rc.1-alpine\nv1.27.5-alpine\n1.27.4",
        "*-alpine3.*\n1.27.3-alpine3.20\n1.27.3-alpine3.21\n1.27.3",
        "~4.0-ls*\n4.0.11-ls258\n4.0.12-ls1\n2024.12.0b3\nRELEASE.2024-11-07T00-52-20Z",
        "*\n3\n3.20.3\n20240923\n18446744073709551616.1\n2024.1.2.3-foo_bar\n1-c6bbc1b53\n1-c6bbc1b54",
        "/(?:main|release)-(\\d+)-[0-9a-f]{7}/\nmain-20241101-4f2a9c1\nmain-20241119-0b1c2d3",
        "^0.2\n0.2.1\n0.2.2rc1\n0.3.0\nv0.2.2",
    ])) {
        properties::pattern(&text);
    }

    #[test]
    fn urls_of_registries_that_are_almost_right(text in almost_text(&[
        "https://registry-1.docker.io/v2/", "http://[::1]:5000", "localhost:5000", "@x:99999/v2/?q#f",
    ])) {
        properties::endpoint(&text);
    }

    #[test]
    fn platforms_that_are_almost_right(text in almost_text(&["linux/amd64", "Linux/ARM/v7"])) {
        properties::platform(&text);
    }

    #[test]
    fn digests_that_are_almost_right(text in almost_text(&[DIGEST, &DIGEST[7..]])) {
        properties::digest(&text);
    }

    #[test]
    fn challenges_that_are_almost_right(text in almost_text(&[
        "Bearer realm=\"https://auth.example/token\",service=\"r\",scope=\"repository:a/b:pull\"",
        "BASIC realm=x, Bearer realm = \"a\\\"b\" , error=\"invalid_token\"",
        "Negotiate dG9rZW4=, Basic",
    ])) {
        properties::challenge(&text);
    }

    #[test]
    fn content_ranges_that_are_almost_right(text in almost_text(&[
        "bytes 0-9/10", "bytes 5-9/*", "bytes 0-18446744073709551615/*",
    ])) {
        properties::content_range(&text);
    }

    #[test]
    fn files_of_credentials_that_are_almost_right(text in almost_text(&[
        r#"{"auths":{"r.example":{"auth":"YW5uOnNlY3JldA=="},"https://index.docker.io/v1/":{"identitytoken":"i"}},"credHelpers":{"r.example":"pass"},"credsStore":"x"}"#,
        "machine r.example login ann password \"se cret\" # comment\nmacdef init\ncd\n\ndefault login a password b",
        "DOCKER_USER=ann\nDOCKER_PASS=a=b\n",
    ])) {
        properties::docker_config(&text);
        properties::netrc(&text);
        properties::credentials_file(&text);
    }
}

proptest! {
    // Signatures are slow to verify.
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn proofs_that_are_almost_right(bytes in almost(PROOFS.map(<[u8]>::to_vec).to_vec())) {
        properties::proof(&bytes);
    }
}

#[test]
fn the_changes_leave_some_texts_right_and_break_others() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    // Whoever only makes noise tests nothing but the first line of a parser.
    let mut runner = TestRunner::deterministic();
    let strategy = almost(documents());
    let mut right = 0;
    for _ in 0..1000 {
        let bytes = strategy.new_tree(&mut runner).unwrap().current();
        let is_right = Document::<Manifest>::parse(bytes.clone(), None).is_ok()
            || Document::<Index>::parse(bytes.clone(), None).is_ok()
            || Document::<ImageConfig>::parse(bytes, None).is_ok();
        right += i32::from(is_right);
    }
    assert!((50..950).contains(&right), "{right} of 1000");
}
