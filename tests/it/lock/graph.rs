//! `hocker lock graph`: which layers are shared.

use super::{Place, image, serve_single};
use crate::support::scripted_registry::Registry;

fn place() -> Place {
    let registry = Registry::start();
    let base = "base ".repeat(20_000);
    let place = Place::new();
    let mut arguments = vec!["add".to_owned()];
    for (name, layers) in [
        ("one", &[base.as_str(), "runtime", "one"][..]),
        ("two", &[&base, "runtime", "two"]),
        ("three", &[&base, "three"]),
        ("alone", &["alone"]),
    ] {
        serve_single(&registry, name, "1", &image("linux/amd64", layers));
        arguments.push(format!("{}/{name}:1", registry.name()));
    }
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    place.run(&arguments).done();
    place
}

#[test]
fn a_table_tells_what_sharing_saves() {
    let table = place()
        .run(&["graph", "--platform", "linux/amd64"])
        .done()
        .text();
    let lines: Vec<_> = table.lines().collect();
    assert!(lines[1].ends_with("one three two"), "{table}");
    assert!(lines[2].ends_with("one two"), "{table}");
    assert_eq!(lines[3], "", "{table}");
    assert!(
        lines[4].starts_with("4 images for linux/amd64: "),
        "{table}"
    );
}

#[test]
fn a_picture_is_well_formed_and_names_every_image() {
    let place = place();
    let picture = place.run(&["graph", "--format", "svg"]).done().text();
    assert!(
        picture.starts_with("<svg ") && picture.ends_with("</svg>\n"),
        "{picture}"
    );
    for name in ["one", "two", "three", "alone"] {
        assert!(picture.contains(&format!(">{name}<title>")), "{picture}");
    }
    // The base once, the runtime once, and what each image has of its own.
    let blocks = picture.matches("of the images</title>").count();
    assert_eq!(blocks, 6, "{picture}");
    assert_eq!(
        picture.matches("in 3 of the images").count(),
        1,
        "{picture}"
    );
    for element in ["rect", "text", "title", "style"] {
        let opened = picture.matches(&format!("<{element}")).count();
        let closed = picture.matches(&format!("</{element}>")).count();
        let empty = picture.matches("/>").count();
        assert!(
            opened == closed || element == "rect" && opened <= closed + empty,
            "{element}: {picture}"
        );
    }
    assert_eq!(
        picture,
        place.run(&["graph", "--format", "svg"]).done().text()
    );
}

#[test]
fn an_empty_lock_has_an_empty_graph() {
    let place = Place::new();
    place.write("{\"version\":1,\"images\":{}}");
    place.run(&["graph"]).done();
    place.run(&["graph", "--format", "svg"]).done();
    assert_eq!(place.run(&["list"]).done().text().lines().count(), 1);
}
