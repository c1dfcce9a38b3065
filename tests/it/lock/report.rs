//! `hocker lock report`: the page, and hostile text in it.

use base64::Engine as _;
use serde_json::json;
use sha2::Digest as _;

use super::moving::Moving;
use super::{Place, image, serve, usual};
use crate::support::image::{Family, Image, Layer, Packing};
use crate::support::scripted_registry::Registry;

#[test]
fn the_page_names_the_images_and_what_they_share() {
    let registry = Registry::start();
    serve(&registry, "one", "1", &usual("one"));
    serve(&registry, "two", "2", &usual("two"));
    let place = Place::new();
    let at = |name: &str| format!("{}/{name}", registry.name());
    place.run(&["add", &at("one:1"), &at("two:2")]).done();
    let count = registry.requests().len();
    let arguments = ["report", "--as-of", "2026-01-31T00:00:00Z"];
    let page = place.run(&arguments).done().text();
    assert_eq!(registry.requests().len(), count, "nothing is asked");
    for part in [
        "<td class=\"first\" data-key=\"one\">",
        "data-key=\"two\"",
        "<h2>Shared layers</h2>",
        "2 follow a tag",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    let out = ["--out", "page.html"];
    place.lock(&arguments).arguments(out).run().done();
    let path = place.path().with_file_name("page.html");
    assert_eq!(
        std::fs::read_to_string(path).unwrap(),
        page,
        "the same lock, the same page"
    );
    place
        .lock(&arguments)
        .arguments(out)
        .run()
        .failed(1)
        .says("already exists");
    place
        .lock(&arguments)
        .arguments(out)
        .arguments(["--force"])
        .run()
        .done();
}

#[test]
fn the_page_shows_what_waits_since_when_and_until_when() {
    let moving = Moving::start();
    moving.push("1.0", "0");
    let place = Place::new();
    let pattern = ["add", "--min-age", "3d", "--follow", "/1.[0-9](?:<b>)?/"];
    let image = moving.image(":1.0");
    place.run(&[&pattern[..], &[&image]].concat()).done();
    let page = |time: &str| place.run(&["report", "--as-of", time]).done().text();
    let before = page("2026-01-31T00:00:00Z");
    assert!(!before.contains("Waiting"), "{before}");
    let digest = moving.push("1.1", "1");
    place.run(&["update"]).done().says("waits until");
    let mut lock = place.valid();
    lock["images"]["app"]["pending"][0]["firstSeen"] = json!("2026-01-30T12:00:00Z");
    place.write(&lock.to_string());
    let count = moving.count();
    for (time, parts) in [
        (
            "2026-01-31T00:00:00Z",
            [
                "until 2026-02-02 12:00 UTC",
                "for 12 hours",
                "2 days left",
                ">2026-02-02 12:00 UTC<",
            ],
        ),
        (
            "2026-02-02T12:00:00Z",
            [
                "1 ready for an update",
                "for 3 days",
                ">ready for an update<",
                ">2026-02-02 12:00 UTC<",
            ],
        ),
        (
            "2026-01-30T00:00:00Z",
            [
                "until 2026-02-02 00:00 UTC",
                "a clock was wrong",
                "3 days left",
                ">2026-02-02 00:00 UTC<",
            ],
        ),
    ] {
        let page = page(time);
        let always = [
            "<h2>Waiting</h2>",
            "<td data-label=\"Tag\">1.0 → 1.1</td>",
            "2026-01-30 12:00 UTC",
            "update waits",
            "follows <code>/1.[0-9](?:&lt;b&gt;)?/</code>",
            &digest,
        ];
        for part in always.iter().chain(&parts) {
            assert!(page.contains(part), "{part}\n{page}");
        }
        assert!(!page.contains("<b>"), "{page}");
    }
    assert_eq!(moving.count(), count, "nothing is asked");
}

#[test]
fn the_page_loads_nothing_and_allows_only_its_own_style_and_script() {
    let place = Place::new();
    place.write("{\"version\": 1, \"images\": {}}\n");
    let page = place.run(&["report"]).done().text();
    let hash = |element: &str| {
        let (_, rest) = page.split_once(&format!("<{element}>")).unwrap();
        let (text, _) = rest.split_once(&format!("</{element}>")).unwrap();
        let digest = sha2::Sha256::digest(text.as_bytes());
        format!(
            "'sha256-{}'",
            base64::engine::general_purpose::STANDARD.encode(digest)
        )
    };
    let policy = format!(
        "content=\"default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'\"",
        hash("style"),
        hash("script")
    );
    assert!(page.contains(&policy), "{policy}\n{page}");
    for part in [
        "src=", "url(", "@import", "<link", "<iframe", " style=", " onclick",
    ] {
        assert!(!page.contains(part), "{part}");
    }
}

#[test]
fn hostile_text_stays_text() {
    let hostile = "\"><script>alert(1)</script>'\u{202e}<img src=x onerror=alert(2)>";
    let registry = Registry::start();
    let layers = vec![Layer::of_files(Packing::Gzip, &[("f", b"x")])];
    let platform = json!({"os": "linux", "architecture": "amd64"});
    let mut bad = Image::for_platform(Family::Oci, &platform, &["x"], layers);
    let mut manifest: serde_json::Value = serde_json::from_slice(&bad.manifest).unwrap();
    manifest["annotations"] = json!({
        "org.opencontainers.image.version": hostile,
        "org.opencontainers.image.source": "javascript:alert(3)//a/b",
        "org.opencontainers.image.revision": hostile,
    });
    bad.manifest = serde_json::to_vec(&manifest).unwrap();
    serve(&registry, "app", "1", &[bad]);
    serve(&registry, "good", "1", &[image("linux/amd64", &["x"])]);
    let place = Place::new();
    place
        .run(&["add", &format!("{}/app:1", registry.name())])
        .done();
    let named = place.path().with_file_name("<b>&\"'.lock.json");
    std::fs::copy(place.path(), &named).unwrap();
    let run = place.lock(&["report", "--lock-file"]).arguments([&named]);
    let page = run.run().done().text();
    assert!(
        page.contains("&lt;b&gt;&amp;&quot;&#39;.lock.json"),
        "{page}"
    );
    for part in ["<b>", "alert(", "javascript:", "<img", "\u{202e}"] {
        assert!(!page.contains(part), "{part}\n{page}");
    }
    assert_eq!(page.matches("<script>").count(), 1);
}
