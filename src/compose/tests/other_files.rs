//! Files that others include or extend.

use super::*;

#[test]
fn included_and_extended_files_are_read_as_compose_reads_them() {
    let include = "include: [sub/i.yaml]\nservices: {b: {image: 'b:${T}$TAG'}}";
    let extends = "services: {x: {extends: {file: sub/e.yaml, service: e}}}";
    for (text, others, expected) in [
        (
            include,
            &[
                ("sub/i.yaml", "services: {i: {image: 'i:${T}$TAG'}}"),
                ("sub/.env", "T=sub\nTAG=0"),
            ][..],
            &["b:17", "i:sub17"][..],
        ),
        (
            "include: [{path: sub/i.yaml, env_file: x.env}]",
            &[
                ("sub/i.yaml", "services: {i: {image: 'i:$T'}}"),
                ("sub/.env", "T=sub"),
                ("x.env", "T=x"),
            ],
            &["i:x"],
        ),
        (
            "include: [{path: sub/i.yaml, project_directory: o}]",
            &[
                (
                    "sub/i.yaml",
                    "services: {k: {extends: {file: k.yaml, service: k}}}",
                ),
                ("sub/k.yaml", "services: {k: {image: wrong}}"),
                ("o/k.yaml", "services: {k: {image: 'k:$T'}}"),
                ("o/.env", "T=o"),
            ],
            &["k:o"],
        ),
        (
            "include: [{path: [sub/i.yaml, sub/j.yaml]}]\nservices: {x: {image: x}}",
            &[
                ("sub/i.yaml", "services: {i: {image: i}}"),
                ("sub/j.yaml", "services: {i: {image: j}}"),
            ],
            &["x", "j"],
        ),
        (
            "include: [sub/i.yaml]\nservices: {i: {image: i}}",
            &[("sub/i.yaml", "services: {i: {image: i}}")],
            &["i"],
        ),
        (
            extends,
            &[
                (
                    "sub/e.yaml",
                    "services: {e: {extends: {file: f.yaml, service: f}, profiles: []}}",
                ),
                (
                    "sub/f.yaml",
                    "services: {f: {image: 'f:$COMPOSE_PROJECT_NAME'}, z: {extends: nothing}}",
                ),
            ],
            &["f:project"],
        ),
        (
            extends,
            &[(
                "sub/e.yaml",
                "services: {e: {image: e1}}\n---\nservices: {e: {image: e2}}",
            )],
            &["e2"],
        ),
        (
            "name: My-$TAG\ninclude: [i.yaml]\nservices: {x: {image: 'x:$COMPOSE_PROJECT_NAME'}}",
            &[(
                "i.yaml",
                "name: other\nservices: {i: {image: 'i:$COMPOSE_PROJECT_NAME'}}",
            )],
            &["x:my-17", "i:my-17"],
        ),
    ] {
        let images = read_with(text, others, &[]).unwrap();
        assert_eq!(names(&images), expected, "{text}");
    }
}

#[test]
fn an_error_in_another_file_names_it_and_cycles_end() {
    let include = "include: [i.yaml]\nservices: {i: {image: a}}";
    let extends = "services: {x: {extends: {file: e.yaml, service: e}}}";
    for (text, others, says) in [
        (
            include,
            &[("i.yaml", "services: {i: {image: b}}")][..],
            "i differs between a file and",
        ),
        (include, &[("i.yaml", "include: [i.yaml]")], "in a cycle"),
        (
            include,
            &[("i.yaml", "include: [i.yaml, i.yaml]")],
            "in a cycle",
        ),
        (
            include,
            &[("i.yaml", "services: [")],
            "cannot use i.yaml: line 1",
        ),
        (
            include,
            &[("i.yaml", "a: 1")],
            "cannot use i.yaml: the file has no `services`",
        ),
        (
            include,
            &[("i.yaml", "services: {}"), (".env", "hunter2 x")],
            "cannot read .env: line 1",
        ),
        (
            extends,
            &[("e.yaml", "services: {}")],
            "cannot use e.yaml: a service extends e",
        ),
        (
            extends,
            &[("e.yaml", "services: {e: {extends: e}}")],
            "in a cycle",
        ),
        (
            extends,
            &[(
                "e.yaml",
                "services: {e: {extends: {file: e.yaml, service: e}}}",
            )],
            "in a cycle",
        ),
    ] {
        let error = read_with(text, others, &[]).unwrap_err();
        let mut said = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(error) = source {
            said = format!("{said}: {error}");
            source = error.source();
        }
        assert!(said.contains(says), "{text}: {said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}
