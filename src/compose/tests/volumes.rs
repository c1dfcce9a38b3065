//! Volumes that mount images.

use super::*;

#[test]
fn volumes_that_mount_images_are_read_and_merged_by_their_path() {
    for (text, expected) in [
        (
            "a: {image: a, volumes: ['x:/x', {type: image, source: 'm:$TAG', target: /m, image: {subpath: s}, \
             read_only: true}]}",
            &[("a", "m:17", "/m")][..],
        ),
        (
            "a: {build: ., volumes: [{type: image, source: m, target: /m}]}",
            &[("a", "m", "/m")],
        ),
        (
            "a: {image: a, volumes: [{type: volume, source: m, target: /m}]}",
            &[],
        ),
        (
            "b: {image: b, volumes: [{type: image, source: m, target: /m}]}\n a: {extends: b}",
            &[("b", "m", "/m"), ("a", "m", "/m")],
        ),
        (
            "b: {image: b, volumes: [{type: image, source: m, target: /m}]}\n---\nservices:\n b: {volumes: \
             [{type: image, source: n, target: /m}]}",
            &[("b", "n", "/m")],
        ),
        (
            "b: {image: b, volumes: [{type: image, source: m, target: /m}]}\n---\nservices:\n b: {volumes: \
             ['./x:/m:ro']}",
            &[],
        ),
        (
            "b: {image: b, volumes: [{type: image, source: m, target: /m}]}\n---\nservices:\n b: {volumes: !reset []}",
            &[],
        ),
        (
            "b: {image: b, profiles: [p], volumes: [{type: image, source: m, target: /m}]}",
            &[],
        ),
        (
            "a: {image: a, volumes: ['$DB_PASSWORD:/x', {type: image, source: m, target: /m}]}",
            &[("a", "m", "/m")],
        ),
    ] {
        let images = read(&format!("services:\n {text}\n"), &[]).unwrap();
        let volumes: Vec<_> = images
            .volumes
            .iter()
            .map(|volume| (&*volume.service, &*volume.image, &*volume.target))
            .collect();
        assert_eq!(volumes, expected, "{text}");
    }
    for (volume, error) in [
        ("{type: image, target: /m}", "without `source`"),
        ("{type: image, source: m}", "without `source`"),
        (
            "{type: image, source: 'm:$DB_PASSWORD', target: /m}",
            "a uses DB_PASSWORD",
        ),
    ] {
        let text = format!("services: {{a: {{image: a, volumes: [{volume}]}}}}");
        let said = read(&text, &[]).unwrap_err().to_string();
        assert!(said.contains(error), "{text}: {said}");
    }
}
