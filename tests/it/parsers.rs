//! Everything that is parsed, fed with what is almost right: sound texts with bytes changed, left out, doubled and
//! put elsewhere. Whatever comes of it is no panic, and what is accepted holds together.

use hocker::auth::docker_config::DockerConfig;
use hocker::auth::{challenge, credentials_file, netrc};
use hocker::config::ImageConfig;
use hocker::digest::Digest;
use hocker::document::{Document, View};
use hocker::http::content_range;
use hocker::index::Index;
use hocker::manifest::{self, Manifest};
use hocker::platform::Platform;
use hocker::reference::{Reference, RegistryName, Repository};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::image::{Family, index, small};

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

/// Parses a document as a view of some kind; what is accepted kept its bytes.
fn parse<T: View>(bytes: &[u8]) -> Result<Option<Document<T>>, TestCaseError> {
    let document = Document::<T>::parse(bytes.to_vec(), None).ok();
    if let Some(document) = &document {
        prop_assert_eq!(document.bytes(), bytes);
        prop_assert_eq!(*document.digest(), Digest::of(bytes));
    }
    Ok(document)
}

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn documents_that_are_almost_right(bytes in almost(documents())) {
        let manifest = parse::<Manifest>(&bytes)?;
        let index = parse::<Index>(&bytes)?;
        prop_assert!(manifest.is_none() || index.is_none(), "both a manifest and an index");
        let _ = manifest::kind_of(&bytes, None);
        let config = parse::<ImageConfig>(&bytes)?;
        if let Some(manifest) = manifest {
            let _ = manifest.require_image();
            if let Some(config) = config {
                let _ = manifest.check_config(&config);
            }
        }
        if let Some(index) = index {
            for platform in ["linux/amd64", "linux/arm/v7"] {
                let platform: Platform = platform.parse().unwrap();
                if let Ok(entry) = index.select(&platform) {
                    prop_assert!(index.manifests.contains(entry));
                }
            }
        }
    }

    #[test]
    fn references_that_are_almost_right(text in almost_text(&[
        "debian",
        "ghcr.io/a/b/c:1.2-3_4",
        "localhost:5000/x@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "[::1]:5000/team/app:latest@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ])) {
        if let Ok(reference) = text.parse::<Reference>() {
            let again: Reference = reference.to_string().parse().unwrap();
            prop_assert_eq!(again, reference);
        }
        let _ = text.parse::<RegistryName>();
        let _ = text.parse::<Repository>();
        let _ = text.parse::<Platform>();
    }

    #[test]
    fn digests_that_are_almost_right(text in almost_text(&[DIGEST, &DIGEST[7..]])) {
        if let Ok(digest) = text.parse::<Digest>() {
            prop_assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
            prop_assert!(digest.to_string().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b':'));
        }
    }

    #[test]
    fn challenges_that_are_almost_right(text in almost_text(&[
        "Bearer realm=\"https://auth.example/token\",service=\"r\",scope=\"repository:a/b:pull\"",
        "BASIC realm=x, Bearer realm = \"a\\\"b\" , error=\"invalid_token\"",
        "Negotiate dG9rZW4=, Basic",
    ])) {
        for challenge in challenge::parse(&text) {
            let _ = (challenge.parameter("realm"), challenge.parameter("scope"));
        }
    }

    #[test]
    fn content_ranges_that_are_almost_right(text in almost_text(&[
        "bytes 0-9/10", "bytes 5-9/*", "bytes 0-18446744073709551615/*",
    ])) {
        if let Some(range) = content_range::parse(&text) {
            prop_assert!(range.first <= range.last);
            prop_assert!(range.complete.is_none_or(|complete| range.last < complete));
        }
    }

    #[test]
    fn files_of_credentials_that_are_almost_right(text in almost_text(&[
        r#"{"auths":{"r.example":{"auth":"YW5uOnNlY3JldA=="},"https://index.docker.io/v1/":{"identitytoken":"i"}},"credHelpers":{"r.example":"pass"},"credsStore":"x"}"#,
        "machine r.example login ann password \"se cret\" # comment\nmacdef init\ncd\n\ndefault login a password b",
        "DOCKER_USER=ann\nDOCKER_PASS=a=b\n",
    ])) {
        let registry: RegistryName = "r.example".parse().unwrap();
        let repository: Repository = "team/app".parse().unwrap();
        if let Ok(config) = DockerConfig::parse(&text) {
            let _ = (config.helper(&registry), config.proof(&registry, &repository));
        }
        let _ = netrc::find(&text, &registry);
        let _ = credentials_file::parse(&text);
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
