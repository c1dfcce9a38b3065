//! `hocker lock add`: what is asked for, and under which name.

use serde_json::json;

use super::{Place, image, index_of, serve, serve_single, usual};
use crate::support::image::{Family, Image, digest, index_answer};
use crate::support::scripted_registry::{Answer, Registry, get};

#[test]
fn manifests_and_configurations_are_all_that_is_asked_for() {
    let registry = Registry::start();
    let images = usual("app");
    serve(&registry, "team/app", "1", &images);
    let place = Place::new();
    let reference = format!("{}/team/app:1", registry.name());
    place
        .run(&["add", &reference])
        .done()
        .says("app (")
        .says("2 of 2 layers new");
    let lock = place.valid();
    let app = &lock["images"]["app"];
    assert_eq!(app["reference"], reference);
    assert_eq!(app["index"]["digest"], digest(&index_of(&images)));
    for image in &images {
        let platform = &app["platforms"][image.platform_name()];
        assert_eq!(
            platform["manifest"].as_str().unwrap().as_bytes(),
            image.manifest
        );
        assert_eq!(platform["config"]["digest"], image.config_digest());
        assert_eq!(platform["created"], "2024-01-01T00:00:00Z");
        let layers: Vec<_> = platform["layers"].as_array().unwrap().iter().collect();
        assert_eq!(layers.len(), image.layers.len());
        for (locked, layer) in layers.iter().zip(&image.layers) {
            assert_eq!(locked["digest"], layer.digest());
        }
    }
    // The index, and a manifest and a configuration for each platform.
    assert_eq!(registry.requests().len(), 5);
}

#[test]
fn names_are_given_or_derived_and_clashes_are_told() {
    let registry = Registry::start();
    for (repository, tag) in [("team/app", "1"), ("other/app", "1"), ("team/app", "2")] {
        serve(
            &registry,
            repository,
            tag,
            &usual(&format!("{repository}{tag}")),
        );
    }
    let place = Place::new();
    let at = |rest: &str| format!("{}/{rest}", registry.name());
    place
        .run(&[
            "add",
            &at("team/app:1"),
            &at("other/app:1"),
            &format!("web={}", at("team/app:2")),
        ])
        .done()
        .says("gets the name `app-1`, because ");
    let names = || {
        place.valid()["images"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(names(), ["app", "app-1", "web"]);
    // What is locked keeps its name.
    place.run(&["add", &at("other/app:1")]).done();
    assert_eq!(names(), ["app", "app-1", "web"]);
    let taken = format!("web={}", at("team/app:1"));
    place
        .run(&["add", &taken])
        .failed(2)
        .says("cannot name the image `web`: ")
        .says("--force");
    assert_eq!(
        place.valid()["images"]["web"]["reference"],
        at("team/app:2")
    );
    place.run(&["add", "--force", &taken]).done();
    assert_eq!(
        place.valid()["images"]["web"]["reference"],
        at("team/app:1")
    );
    for bad in ["A=x", "../x=x", "=x", "a b=x"] {
        place
            .run(&["add", bad])
            .failed(2)
            .says("is not a valid name");
    }
}

#[test]
fn one_image_that_fails_does_not_keep_the_others_from_being_locked() {
    let registry = Registry::start();
    serve(&registry, "good", "1", &usual("good"));
    registry.on(
        get("/v2/bad/manifests/1"),
        Answer::error(404, "MANIFEST_UNKNOWN"),
    );
    let place = Place::new();
    let outcome = place
        .run(&[
            "add",
            "--json",
            &format!("{}/bad:1", registry.name()),
            &format!("{}/good:1", registry.name()),
        ])
        .failed(3)
        .says("cannot lock bad (");
    let told: serde_json::Value = serde_json::from_slice(&outcome.stdout).unwrap();
    assert_eq!(told["failed"][0]["name"], "bad");
    assert_eq!(told["changed"][0]["name"], "good");
    assert_eq!(place.valid()["images"].as_object().unwrap().len(), 1);
}

#[test]
fn what_is_not_an_image_is_not_locked() {
    let registry = Registry::start();
    let chart = String::from_utf8(image("linux/amd64", &["a"]).manifest)
        .unwrap()
        .replace(
            "application/vnd.oci.image.config.v1+json",
            "application/vnd.cncf.helm.config.v1+json",
        );
    registry.on(get("/v2/chart/manifests/1"), Answer::ok(chart));
    let sha512 = format!("sha512:{}", "0".repeat(128));
    let strange = json!({
        "schemaVersion": 2,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "size": 2, "digest": digest(b"{}")},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "size": 1, "digest": sha512}],
    });
    registry.on(
        get("/v2/strange/manifests/1"),
        Answer::ok(strange.to_string()),
    );
    let config = r#"{"os":"linux","architecture":"amd64","rootfs":{"diff_ids":["sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]}}"#;
    let config_descriptor = json!({"mediaType": "application/vnd.oci.image.config.v1+json", "size": config.len(), "digest": digest(config.as_bytes())});
    let strange = strange.to_string().replace(&json!({"mediaType": "application/vnd.oci.image.config.v1+json", "size": 2, "digest": digest(b"{}")}).to_string(), &config_descriptor.to_string());
    registry.on(get("/v2/stronger/manifests/1"), Answer::ok(strange));
    registry.on(
        get(format!("/v2/stronger/blobs/{}", digest(config.as_bytes()))),
        Answer::ok(config),
    );
    registry.on(
        get(format!("/v2/strange/blobs/{}", digest(b"{}"))).perhaps(),
        Answer::ok("{}"),
    );
    let place = Place::new();
    let at = |name: &str| format!("{}/{name}:1", registry.name());
    place.run(&["add", &at("chart")]).failed(7).says("helm");
    place
        .run(&["add", &at("stronger")])
        .failed(7)
        .says("sha512");
    place.run(&["add", &at("strange")]).failed(7);
    assert!(!place.path().exists() || place.valid()["images"].as_object().unwrap().is_empty());
}

#[test]
fn a_digest_is_followed_nowhere() {
    let registry = Registry::start();
    let images = usual("app");
    let pinned = digest(&index_of(&images));
    serve(&registry, "app", &pinned, &images);
    let place = Place::new();
    place
        .run(&["add", &format!("{}/app:1@{pinned}", registry.name())])
        .done();
    let lock = place.valid();
    assert_eq!(
        lock["images"]["app"]["reference"],
        format!("{}/app:1@{pinned}", registry.name())
    );
    let asked = registry.requests().len();
    place.run(&["check"]).done();
    place.run(&["update"]).done();
    assert_eq!(
        registry.requests().len(),
        asked,
        "nobody has to be asked about a digest"
    );
}

#[test]
fn a_registrys_url_is_kept_where_the_name_does_not_say_it() {
    let registry = Registry::start();
    serve(&registry, "app", "1", &usual("app"));
    let place = Place::new();
    place
        .run(&["add", "--registry", &registry.url(), "app:1"])
        .done();
    assert!(place.valid()["images"]["app"].get("registry").is_none());
    // Behind a path, as some products have it.
    let nested = Registry::start();
    let images = usual("nested");
    let index = index_of(&images);
    nested.on(get("/nexus/v2/app/manifests/1"), index_answer(&index));
    for image in &images {
        nested.on(
            get(format!("/nexus/v2/app/manifests/{}", image.digest())),
            image.manifest_answer(),
        );
        nested.on(
            get(format!("/nexus/v2/app/blobs/{}", image.config_digest())),
            Answer::ok(image.config.clone()),
        );
    }
    let url = nested.at("/nexus/v2/");
    place
        .run(&["add", "--registry", &url, "nested=app:1"])
        .done();
    assert_eq!(place.valid()["images"]["nested"]["registry"], url);
    place.run(&["list"]).done();
}

#[test]
fn credentials_for_one_registry_are_shown_to_no_other() {
    let (one, other) = (Registry::start(), Registry::start());
    let references = [
        format!("{}/a:1", one.name()),
        format!("{}/b:1", other.name()),
    ];
    let place = Place::new();
    place
        .lock(&[
            "add",
            "--username",
            "ann",
            "--password",
            "hunter2",
            &references[0],
            &references[1],
        ])
        .run()
        .failed(2)
        .says(&one.name())
        .never_says("hunter2");
    for (registry, name) in [(&one, "a"), (&other, "b")] {
        registry.on(
            get(format!("/v2/{name}/manifests/1")).without("Authorization"),
            Answer::challenge("Basic realm=\"x\""),
        );
    }
    place
        .lock(&["add", &references[0], &references[1]])
        .env("DOCKER_USER", "ann")
        .env("DOCKER_PASS", "hunter2")
        .run()
        .failed(4)
        .says("credentials from the environment are not used")
        .never_says("hunter2");
    assert_eq!(one.requests().len() + other.requests().len(), 2);
}

#[test]
fn images_of_one_repository_share_a_token() {
    let registry = Registry::start();
    let images: Vec<Image> = usual("app");
    let challenge = format!("Bearer realm=\"{}\",service=\"x\"", registry.at("/token"));
    for tag in ["1", "2", "3"] {
        let target = format!("/v2/app/manifests/{tag}");
        registry.on(
            get(&target).without("Authorization").perhaps(),
            Answer::challenge(&challenge),
        );
    }
    registry.on(
        get("/token"),
        Answer::ok(r#"{"token":"good","expires_in":300}"#),
    );
    for tag in ["1", "2", "3"] {
        serve(&registry, "app", tag, &images);
    }
    let place = Place::new();
    let at = |tag: &str| format!("{}/app:{tag}", registry.name());
    place.run(&["add", &at("1"), &at("2"), &at("3")]).done();
    assert_eq!(place.valid()["images"].as_object().unwrap().len(), 3);
}

#[test]
fn both_families_are_locked_as_they_are() {
    let registry = Registry::start();
    let docker = Image::new(
        Family::Docker,
        &["/hello"],
        image("linux/amd64", &["a"]).layers,
    );
    serve_single(&registry, "app", "1", &docker);
    let place = Place::new();
    place
        .run(&["add", &format!("{}/app:1", registry.name())])
        .done();
    let locked = &place.valid()["images"]["app"]["platforms"]["linux/amd64"];
    assert_eq!(
        locked["manifest"].as_str().unwrap().as_bytes(),
        docker.manifest
    );
    assert_eq!(
        locked["config"]["mediaType"],
        "application/vnd.docker.container.image.v1+json"
    );
}
