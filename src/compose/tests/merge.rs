//! Several documents, and services that extend others.

use super::*;

#[test]
fn documents_and_extended_services_are_merged_as_compose_merges_them() {
    // Compose 2.26 gives these results for the same files.
    for (text, profiles, expected) in [
        (
            "b: {image: b, profiles: [p]}\n a: {extends: b}",
            &[][..],
            &[][..],
        ),
        (
            "b: {image: b, profiles: [p]}\n a: {extends: {service: b}, profiles: [q]}",
            &["q"],
            &["b"],
        ),
        (
            "b: {image: b}\n a: {extends: {service: b}, image: , build: .}",
            &[],
            &["b", "b"],
        ),
        (
            "b: {image: b}\n a: {extends: {service: b}, image: '${NONE}', build: .}",
            &[],
            &["b"],
        ),
        (
            "b: {image: b}\n a: {extends: {service: b}, image: !reset null, build: .}",
            &[],
            &["b"],
        ),
        (
            "a: {image: a1}\n b: {image: b, profiles: [p]}\n---\nservices:\n a: {image: a2}\n b: {profiles: [q]}\n \
             c: {image: c}",
            &["q"],
            &["a2", "b", "c"],
        ),
        (
            "a: {image: a}\n b: {image: b, profiles: [p]}\n---\nservices:\n a: {image: !reset null, build: .}\n b: \
             {profiles: !reset []}",
            &[],
            &["b"],
        ),
        (
            "b: {image: b, profiles: [p]}\n---\nservices:\n b: {profiles: !override [q]}",
            &["p"],
            &[],
        ),
        (
            "b: {image: b1}\n a: {extends: b}\n---\nservices:\n b: {image: b2}",
            &[],
            &["b2", "b1"],
        ),
        (
            "b: {image: b1}\n a: {extends: b}\n---\nservices:\n a: {command: x}\n b: !reset null",
            &[],
            &["b1"],
        ),
    ] {
        let images = read(&format!("services:\n {text}\n"), profiles).unwrap();
        assert_eq!(names(&images), expected, "{text}");
    }
}

#[test]
fn services_that_multiply_are_refused() {
    let document = "services: {a: {extends: b}, b: {extends: {file: x, service: a}}}\n---\n";
    let text = document.repeat(50);
    let error = read_with(&text, &[("x", &text)], &[]).unwrap_err();
    assert!(
        matches!(error, Error::Extends | Error::In { .. }),
        "{error}"
    );
}
