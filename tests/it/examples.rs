//! The programs in `examples/`, which use the library as others do.

use std::path::Path;

use crate::support::files::listing;
use crate::support::hocker::hocker;
use crate::support::image::{hex, small};
use crate::support::scripted_registry::Registry;

#[path = "../../examples/pin.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "a program, of which only one function is called"
)]
mod pin;
#[path = "../../examples/pull.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "a program, of which only one function is called"
)]
mod pull;

#[tokio::test(flavor = "multi_thread")]
async fn pull_writes_what_the_program_writes() {
    let (image, registry) = (small(), Registry::start());
    image.serve(&registry, "team/app", "1");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("layout");
    let reference = format!("{}/team/app:1", registry.name());
    pull::pull(&reference, &path).await.unwrap();
    let layout = listing(&path);
    for blob in [&image.manifest, &image.config, &image.layers[0].blob] {
        let file = Path::new("blobs/sha256").join(hex(blob));
        assert_eq!(layout[&file].as_ref(), Some(blob), "{file:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pin_prints_what_docker2nix_prints() {
    let (image, registry) = (small(), Registry::start());
    for _ in 0..2 {
        image.serve_manifest(&registry, "team/app", "1");
    }
    let reference = format!("{}/team/app:1", registry.name());
    let expression = pin::pin(&reference).await.unwrap();
    let printed = hocker(["docker2nix", &reference]).run().done();
    assert_eq!(printed.text(), expression);
}
