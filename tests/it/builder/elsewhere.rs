//! Mirrors, and the URLs of foreign layers.

use serde_json::json;

use super::{Build, challenge};
use crate::support::scripted_registry::{Answer, Registry, get};

#[test]
fn each_registry_has_its_own_mirrors() {
    let (first, second) = (Registry::start(), Registry::start());
    let mirrors = [Registry::start(), Registry::start()];
    let build = Build::from(&[&first, &second]);
    mirrors[0].on(build.asked(0), Answer::status(404));
    first.on(build.asked(0), Answer::status(404));
    mirrors[1].on(build.asked(1), build.answer());
    let text = format!(
        "{}={} {}={}",
        first.name(),
        mirrors[0].at(""),
        second.name(),
        mirrors[1].at("")
    );
    build.is_built(build.plain().env("HOCKER_MIRRORS", text).run());
}

#[test]
fn the_mirrors_of_a_derivation_are_asked_for_every_repository() {
    let (first, second, mirror) = (Registry::start(), Registry::start(), Registry::start());
    let build = Build::from(&[&first, &second]);
    mirror.on(build.asked(0), Answer::status(404));
    first.on(build.asked(0), Answer::status(404));
    mirror.on(build.asked(1), build.answer());
    build.is_built(build.plain().env("mirrors", mirror.at("")).run());
}

#[test]
fn the_urls_of_a_foreign_layer_are_asked_when_all_registries_were() {
    let (first, second, elsewhere) = (Registry::start(), Registry::start(), Registry::start());
    let mut build = Build::from(&[&first, &second]);
    build.urls = elsewhere.at("/layer");
    // A registry that has it all the same.
    first.on(build.asked(0), Answer::status(404));
    second.on(build.asked(1), build.answer());
    build.is_built(build.plain().run());

    let (first, second) = (Registry::start(), Registry::start());
    build.places = Build::from(&[&first, &second]).places;
    first.on(build.asked(0), challenge());
    second.on(build.asked(1).times(2), Answer::status(404));
    elsewhere.on(get("/layer").without("Authorization"), build.answer());
    build.is_built(build.plain().run());

    // What is wrong there tells most.
    let (first, second, elsewhere) = (Registry::start(), Registry::start(), Registry::start());
    build.places = Build::from(&[&first, &second]).places;
    build.urls = elsewhere.at("/layer");
    first.on(build.asked(0).times(2), Answer::status(404));
    second.on(build.asked(1), Answer::status(404));
    elsewhere.on(get("/layer"), build.wrong());
    build
        .structured()
        .run()
        .failed(5)
        .says("  caused by: team/app from 127.0.0.1: ");
}

#[test]
fn a_url_that_one_of_the_registries_may_not_lead_to_is_not_asked() {
    // Plain http is for registries on loopback that speak it themselves.
    let (registry, elsewhere) = (Registry::start(), Registry::start());
    let mut build = Build::from(&[&registry]);
    build
        .places
        .push(json!({"registry": "https://127.0.0.1:1/v2/", "repository": "app"}));
    build.urls = elsewhere.at("/layer");
    registry.on(build.asked(0), Answer::status(404));
    build.plain().env("HOCKER_RETRIES", "0").run().failed(6);
}
