//! Lists of tags: of several pages, large ones, and ones without end.

use super::*;

/// A repository whose list of tags has these pages, by their queries.
fn paged(pages: &[(&str, Vec<String>, Option<&str>)]) -> Registry {
    let registry = Registry::start();
    for (query, tags, next) in pages {
        let mut answer = Answer::ok(json!({"name": "app", "tags": tags}).to_string());
        if let Some(next) = next {
            answer = answer.header("Link", format!("<{next}>; rel=\"next\""));
        }
        registry.on(get(format!("/v2/app/tags/list?{query}")).perhaps(), answer);
    }
    serve_single(&registry, "app", "1.5.0", &usual("app").remove(0));
    registry
}

fn tags(tags: &[&str]) -> Vec<String> {
    tags.iter().map(ToString::to_string).collect()
}

#[test]
fn the_list_of_tags_is_read_page_by_page() {
    let pages = [
        (
            "n=1000",
            tags(&["2.0.0", "not a tag", "1.4.0"]),
            Some("/v2/app/tags/list?last=1.4.0&n=3"),
        ),
        (
            "last=1.4.0&n=3",
            tags(&["1.5.0", "1.2.0"]),
            Some("?last=1.2.0&n=3"),
        ),
        ("last=1.2.0&n=3", tags(&["latest"]), None),
    ];
    let registry = paged(&pages);
    let place = Place::new();
    let image = format!("{}/app:1.*", registry.name());
    place.run(&["add", &image]).done();
    assert_eq!(
        place.valid()["images"]["app"]["reference"],
        image.replace("1.*", "1.5.0")
    );
}

#[test]
fn a_list_of_tags_that_does_not_end_is_refused_and_the_lock_stands() {
    let many = |count: usize| {
        (0..count)
            .map(|number| format!("1.{number}"))
            .collect::<Vec<_>>()
    };
    let other = "https://evil.example/v2/app/tags/list?last=1";
    let mut chain: Vec<_> = (0..1001)
        .map(|number| (format!("last={number}"), format!("?last={}", number + 1)))
        .collect();
    chain[0].0 = "n=1000".to_owned();
    let chain: Vec<_> = chain
        .iter()
        .map(|(query, next)| (query.as_str(), tags(&["1.5.0"]), Some(next.as_str())))
        .collect();
    for (pages, says) in [
        (
            vec![("n=1000", many(1_000_000), None)],
            "more than 200000 tags",
        ),
        (
            vec![("n=1000", tags(&["1.5.0"]), Some("?n=1000"))],
            "form a circle",
        ),
        (
            vec![
                ("n=1000", tags(&["1.5.0"]), Some("?last=1")),
                ("last=1", tags(&["1.6.0"]), Some("?n=1000")),
            ],
            "form a circle",
        ),
        (
            vec![("n=1000", tags(&["1.5.0"]), Some(other))],
            "the next page of the list of tags is elsewhere: https://evil.example",
        ),
        (
            vec![("n=1000", tags(&["1.5.0"]), Some("/v2/other/tags/list"))],
            "elsewhere",
        ),
        (chain, "more than 1000 pages"),
    ] {
        let registry = paged(&pages);
        let place = Place::new();
        let at = |tag: &str| format!("{}/app:{tag}", registry.name());
        place.run(&["add", &at("1.5.0"), "--follow", "1.*"]).done();
        let before = place.text();
        for command in ["update", "check"] {
            place
                .run(&[command])
                .failed(7)
                .says("cannot fetch the tags of app")
                .says(says);
        }
        assert_eq!(place.text(), before);
    }
    for body in ["", r#"{"tags": [1]}"#, r#"{"tags": "1.6.0"}"#, "<html>"] {
        let registry = Registry::start();
        registry.on(get("/v2/app/tags/list?n=1000"), Answer::ok(body));
        Place::new()
            .run(&["add", &format!("{}/app:1.*", registry.name())])
            .failed(7)
            .says("the list of tags is invalid");
    }
}

#[test]
fn a_large_list_is_followed() {
    let mut all: Vec<_> = (0..150_000)
        .map(|number| format!("0.{number}.1-rc{number}"))
        .collect();
    all.push("1.5.0".to_owned());
    let registry = paged(&[("n=1000", all, None)]);
    let place = Place::new();
    place
        .run(&["add", &format!("{}/app:*", registry.name())])
        .done();
    assert_eq!(place.valid()["images"]["app"]["follow"], "*");
}
