//! Images that try to add lines, links, HTML or commands to what is shown of them.

use serde_json::{Value, json};

use super::{diff, image, layouts, status};

const HOSTILE: &str =
    "x\u{1b}[2J\n- **@root** <script>alert(1)</script> `\u{202e}` fixes #1 [a](javascript:b)";

/// Two images with hostile text wherever an image has text.
fn hostile() -> tempfile::TempDir {
    let of = |number: usize| {
        let text = format!("{HOSTILE}{number}");
        image(
            &json!({
                "Entrypoint": [text],
                "User": text,
                "Env": [format!("{text}=1"), format!("A={text}")],
                "ExposedPorts": {&text: {}},
                "Labels": {
                    &text: "x",
                    "l": &text,
                    "org.opencontainers.image.version": &text,
                    "org.opencontainers.image.revision": &text,
                    "org.opencontainers.image.source": format!("https://github.com/a/b{text}"),
                    "org.opencontainers.image.base.name": &text,
                },
            }),
            &json!([{"created_by": text}]),
            &[&status(&[(
                &format!("p{number}\u{1b}<b>`"),
                &format!("1\u{202e}<i>{number}"),
            )])],
        )
    };
    layouts(&[of(1), of(2)])
}

#[test]
fn text_of_an_image_adds_no_line_and_no_escape_sequence() {
    let directory = hostile();
    for arguments in [
        &[][..],
        &["--values"],
        &["--json", "--values"],
        &["--format", "markdown", "--values"],
    ] {
        let outcome = diff(directory.path(), arguments).done();
        let text = outcome.text();
        assert!(
            text.chars()
                .all(|c| c == '\n' || !c.is_control() && c != '\u{202e}'),
            "{arguments:?}\n{text:?}"
        );
        assert!(
            !text
                .lines()
                .any(|line| line.trim_start().starts_with("- **")),
            "{arguments:?}\n{text}"
        );
    }
    let json: Value =
        serde_json::from_slice(&diff(directory.path(), &["--json"]).done().stdout).unwrap();
    assert_eq!(
        json["config"]["fields"]["user"]["to"],
        format!("{HOSTILE}2")
    );
    assert!(json["compare"].is_null() && json["to"]["version"].is_null());
}

#[test]
fn text_of_an_image_is_only_code_in_markdown() {
    let directory = hostile();
    let text = diff(directory.path(), &["--format", "markdown", "--values"])
        .done()
        .text();
    for line in text.lines() {
        let outside = without_code(line);
        for part in ["<script", "<b>", "<i>", "@root", "javascript", "fixes"] {
            assert!(!outside.contains(part), "{part}: {line}");
        }
    }
}

/// A line without its code spans (`CommonMark`, section 6.1).
fn without_code(line: &str) -> String {
    let mut outside = String::new();
    let mut rest = line;
    while let Some(start) = rest.find('`') {
        outside.push_str(&rest[..start]);
        let length = rest[start..].len() - rest[start..].trim_start_matches('`').len();
        let inner = &rest[start + length..];
        let mut at = 0;
        let end = loop {
            let Some(next) = inner[at..].find('`') else {
                break None;
            };
            let begin = at + next;
            let run = inner[begin..].len() - inner[begin..].trim_start_matches('`').len();
            if run == length {
                break Some(begin + run);
            }
            at = begin + run;
        };
        if let Some(end) = end {
            rest = &inner[end..];
        } else {
            outside.push_str(&rest[start..start + length]);
            rest = inner;
        }
    }
    outside + rest
}

#[test]
fn a_history_that_does_not_fit_the_layers_describes_none() {
    let many: Vec<_> = (0..20_000)
        .map(|n| json!({"created_by": format!("line {n}")}))
        .collect();
    let of = |list: &str| image(&json!({}), &json!(many), &[&status(&[(list, "1")])]);
    let directory = layouts(&[of("a"), of("b")]);
    let text = diff(directory.path(), &[]).done().text();
    assert!(text.contains("layers: 1 new, 1 gone, 0 kept"), "{text}");
    assert!(!text.contains("line "), "{text}");
}
