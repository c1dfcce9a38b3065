//! Headers that say something about the content.

use super::{Fetch, MANIFEST, TOKEN, manifest};
use crate::support::hocker::hocker;
use crate::support::image::{digest, small};
use crate::support::scripted_registry::{Answer, Registry, get};

#[test]
fn an_encoded_manifest_is_refused_by_the_name_of_the_header() {
    let image = small();
    let registry = Registry::start();
    registry.on(
        get(MANIFEST),
        image.manifest_answer().header("Content-Encoding", "gzip"),
    );
    manifest(&registry)
        .run()
        .failed(7)
        .says("Content-Encoding")
        .never_says(TOKEN);
}

#[test]
fn the_digest_decides_about_a_blob_that_is_said_to_be_encoded() {
    // Object stores say how a blob was once uploaded, and httpd what its name looks like.
    for encoding in ["aws-chunked", "gzip", "x-gzip", "identity"] {
        let fetch = Fetch::new();
        fetch.registry.on(
            fetch.whole(),
            Answer::ok(fetch.blob.clone()).header("Content-Encoding", encoding),
        );
        fetch.arrives();
    }
    let fetch = Fetch::new();
    fetch.registry.on(
        fetch.whole(),
        Answer::ok(vec![0; fetch.blob.len()]).header("Content-Encoding", "gzip"),
    );
    fetch.fails(5);
}

#[test]
fn an_encoded_document_is_refused_by_the_name_of_the_header() {
    let registry = Registry::start();
    registry.on(
        get(MANIFEST),
        small().manifest_answer().header("Content-Encoding", "gzip"),
    );
    manifest(&registry).run().failed(7).says("Content-Encoding");
}

#[test]
fn an_encoding_that_changes_nothing_is_none() {
    let fetch = Fetch::new();
    fetch.registry.on(
        fetch.whole(),
        Answer::ok(fetch.blob.clone()).header("Content-Encoding", "identity"),
    );
    fetch.arrives();
    let requests = fetch.registry.requests();
    assert_eq!(requests[0].header("Accept-Encoding"), Some("identity"));
}

#[test]
fn a_digest_header_proves_and_disproves_nothing() {
    let sha512 = format!("sha512:{}", "0".repeat(128));
    for header in [digest(b"another"), sha512, "nonsense".to_owned()] {
        let image = small();
        for reference in [":1".to_owned(), format!("@{}", image.digest())] {
            let registry = Registry::start();
            let answer = Answer::ok(image.manifest.clone())
                .header("Content-Type", image.media_type)
                .header("Docker-Content-Digest", header.clone());
            let path = format!("/v2/app/manifests/{}", &reference[1..]);
            registry.on(get(path), answer);
            let outcome = hocker(["manifest", &format!("{}/app{reference}", registry.name())])
                .run()
                .done();
            assert_eq!(outcome.stdout, image.manifest, "{header}");
        }
        let fetch = Fetch::new();
        fetch.registry.on(
            fetch.whole(),
            Answer::ok(fetch.blob.clone()).header("Docker-Content-Digest", header),
        );
        fetch.arrives();
    }
}

#[test]
fn a_digest_header_does_not_make_other_content_right() {
    let image = small();
    let registry = Registry::start();
    let asked = digest(b"what was asked for");
    registry.on(
        get(format!("/v2/app/manifests/{asked}")),
        Answer::ok(image.manifest.clone())
            .header("Content-Type", image.media_type)
            .header("Docker-Content-Digest", asked.clone()),
    );
    let outcome = hocker(["manifest", &format!("{}/app@{asked}", registry.name())])
        .run()
        .failed(5);
    assert!(outcome.stdout.is_empty(), "{outcome}");
}
