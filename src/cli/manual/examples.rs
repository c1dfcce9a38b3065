//! Examples of each command, for its help and its manual page.

use std::fmt::Write as _;

/// What a line does, and the line.
pub(super) type Example = (&'static str, &'static str);

/// The program as a whole.
pub(super) const PROGRAM: &str = "hocker";

/// The examples of the commands. The program's own stand under its name.
const EXAMPLES: &[(&str, &[Example])] = &[
    (
        PROGRAM,
        &[
            (
                "From a registry to a Nix expression, without downloading a layer",
                "hocker docker2nix debian:12 > debian.nix",
            ),
            (
                "All images of a system, pinned and followed",
                "hocker lock add debian:12 cache=redis:7",
            ),
            (
                "Into Docker or Podman, only what it lacks",
                "hocker load ./result",
            ),
        ],
    ),
    (
        "manifest",
        &[
            (
                "Pin an image, for fetchdocker in Nix",
                "hocker manifest debian:12 > debian.json",
            ),
            (
                "The manifest for another platform",
                "hocker manifest --platform linux/arm64 debian:12",
            ),
            ("All platforms", "hocker manifest --index debian:12"),
        ],
    ),
    (
        "config",
        &[(
            "The environment and the command of an image",
            "hocker config redis:7 | jq .config",
        )],
    ),
    (
        "layer",
        &[(
            "One layer, by its digest in the manifest",
            "hocker layer --layer sha256:cd0a524342efac6edff500c17e625735bbe479c926439b263bbe3c8518a0849c \
             --out layer.tar.gz debian:jessie",
        )],
    ),
    (
        "image",
        &[
            (
                "Load an image into Docker",
                "hocker image --out - hello-world:linux | docker load",
            ),
            (
                "A directory in the OCI image layout",
                "hocker image --format oci-dir --out hello-world hello-world:linux",
            ),
            (
                "From a private registry",
                "hocker image --username ann --password-stdin --out app.tar ghcr.io/team/app:1 < password",
            ),
        ],
    ),
    (
        "docker2nix",
        &[
            (
                "An expression for pkgs.callPackage",
                "hocker docker2nix debian:12 > debian.nix",
            ),
            (
                "The classic way, without network",
                "hocker docker2nix library/debian jessie < manifest.json > debian.nix",
            ),
        ],
    ),
    (
        "login-check",
        &[
            (
                "Whether this machine may read an image, and as whom",
                "hocker login-check ghcr.io/team/app:1",
            ),
            ("A registry alone", "hocker login-check ghcr.io"),
        ],
    ),
    (
        "serve",
        &[
            (
                "A registry on loopback of what fetchdocker built",
                "hocker serve ./result",
            ),
            (
                "For other machines",
                "hocker serve --listen 0.0.0.0:5000 hello-world debian",
            ),
        ],
    ),
    (
        "lock",
        &[
            (
                "Pin images",
                "hocker lock add debian:12 web=ghcr.io/team/app:1",
            ),
            ("Follow their tags", "hocker lock update"),
            ("Whether any has moved", "hocker lock check"),
        ],
    ),
    (
        "lock add",
        &[
            (
                "Pin two images, one of them under a name of its own",
                "hocker lock add debian:12 web=ghcr.io/team/app:1",
            ),
            (
                "For one platform only",
                "hocker lock add --platform linux/arm64 debian:12",
            ),
            (
                "Let a name stand for another image",
                "hocker lock add --force web=ghcr.io/team/app:2",
            ),
        ],
    ),
    (
        "lock remove",
        &[("Forget an image", "hocker lock remove web")],
    ),
    (
        "lock update",
        &[
            ("Follow one image's tag", "hocker lock update web"),
            (
                "What changed, as the message of a commit",
                "hocker lock update --commit-message > message",
            ),
        ],
    ),
    (
        "lock check",
        &[("Which tags have moved", "hocker lock check --json | jq .")],
    ),
    (
        "lock list",
        &[("Which images there are", "hocker lock list")],
    ),
    (
        "lock graph",
        &[(
            "A picture of what the images share",
            "hocker lock graph --format svg > layers.svg",
        )],
    ),
    (
        "lock compose",
        &[
            (
                "Pin what a Compose file names",
                "hocker lock compose compose.yaml",
            ),
            (
                "Only show it, with the services of a profile",
                "hocker lock compose --images --profile debug compose.yaml",
            ),
        ],
    ),
    (
        "load",
        &[
            (
                "Into Docker, what fetchdocker built",
                "hocker load ./result",
            ),
            (
                "Into Podman, under a further name",
                "hocker load --host unix:///run/podman/podman.sock --tag web:stable ./result",
            ),
        ],
    ),
    (
        "prune",
        &[(
            "Remove what was loaded before and is not wanted any more",
            "hocker prune --state /var/lib/images --keep ./result",
        )],
    ),
];

/// The examples of a command, which is named as one types it: `lock add`.
pub(super) fn of(command: &str) -> Option<&'static [Example]> {
    EXAMPLES
        .iter()
        .find(|(name, _)| *name == command)
        .map(|(_, examples)| *examples)
}

/// Examples for a terminal.
pub(super) fn text(examples: &[Example]) -> String {
    let mut text = "Examples:".to_owned();
    for (what, line) in examples {
        // A String takes everything.
        let _ = write!(text, "\n  # {what}\n  $ {line}");
    }
    text
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::super::parse;
    use super::*;
    use crate::cli::args::Args;

    #[test]
    fn every_command_that_is_shown_has_examples_and_no_other() {
        let mut shown = vec![PROGRAM.to_owned()];
        for command in Args::command().get_subcommands() {
            if command.is_hide_set() {
                continue;
            }
            let name = command.get_name();
            shown.push(name.to_owned());
            for subcommand in command.get_subcommands() {
                shown.push(format!("{name} {}", subcommand.get_name()));
            }
        }
        let mut without = shown.clone();
        without.retain(|name| of(name).is_none());
        assert!(without.is_empty(), "no examples of {without:?}");
        for (name, _) in EXAMPLES {
            assert!(shown.iter().any(|shown| shown == name), "{name} is gone");
        }
    }

    #[test]
    fn examples_are_command_lines_that_the_program_takes() {
        for (name, examples) in EXAMPLES {
            for (_, line) in *examples {
                let own = line
                    .split_once([' ', '|'])
                    .map_or(*line, |_| line.split(['|', '>', '<']).next().unwrap());
                let words: Vec<&str> = own.split_whitespace().collect();
                if *name != PROGRAM {
                    assert!(own.starts_with(&format!("hocker {name}")), "{line}");
                }
                if let Err(error) = parse(words) {
                    panic!("{line}: {error}");
                }
            }
        }
    }
}
