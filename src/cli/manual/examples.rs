//! Examples of each command, for its help and its manual page.

use std::fmt::Write as _;

/// A description of what a command line does, and the command line.
pub(super) type Example = (&'static str, &'static str);

/// The key of the program's own examples.
pub(super) const PROGRAM: &str = "hocker";

/// The examples of the program and of each command.
const EXAMPLES: &[(&str, &[Example])] = &[
    (
        PROGRAM,
        &[
            (
                "Print a Nix expression for an image, without downloading a layer",
                "hocker docker2nix debian:12 > debian.nix",
            ),
            (
                "Pin all images of a system, to follow their tags",
                "hocker lock add debian:12 cache=redis:7",
            ),
            (
                "Load into Docker or Podman only what the daemon lacks",
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
                "Print the manifest for another platform",
                "hocker manifest --platform linux/arm64 debian:12",
            ),
            ("List all platforms", "hocker manifest --index debian:12"),
        ],
    ),
    (
        "config",
        &[(
            "Show the environment and the command of an image",
            "hocker config redis:7 | jq .config",
        )],
    ),
    (
        "layer",
        &[(
            "Write one layer, by its digest in the manifest",
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
                "Write an OCI image layout",
                "hocker image --format oci-dir --out hello-world hello-world:linux",
            ),
            (
                "Write the root file system of a container, for systemd-nspawn --image",
                "hocker image --format erofs --mount-points --out hello-world.erofs hello-world:linux",
            ),
            (
                "Fetch from a private registry",
                "hocker image --username ann --password-stdin --out app.tar ghcr.io/team/app:1 < password",
            ),
        ],
    ),
    (
        "docker2nix",
        &[
            (
                "Write an expression for pkgs.callPackage",
                "hocker docker2nix debian:12 > debian.nix",
            ),
            (
                "Read the manifest from standard input, without network",
                "hocker docker2nix library/debian jessie < manifest.json > debian.nix",
            ),
        ],
    ),
    (
        "login-check",
        &[
            (
                "Check whether this machine may read an image, and with which credentials",
                "hocker login-check ghcr.io/team/app:1",
            ),
            ("Check a registry alone", "hocker login-check ghcr.io"),
        ],
    ),
    (
        "serve",
        &[
            (
                "Serve the result of fetchdocker on loopback",
                "hocker serve ./result",
            ),
            (
                "Serve two images to other machines",
                "hocker serve --listen 0.0.0.0:5000 hello-world debian",
            ),
        ],
    ),
    (
        "diff",
        &[
            (
                "Compare two versions of an image",
                "hocker diff nginx:1.27.3 nginx:1.27.4",
            ),
            (
                "Compare their packages too",
                "hocker diff --fetch nginx:1.27.3 nginx:1.27.4",
            ),
            (
                "Compare an image of the lock file with a layout on disk",
                "hocker diff docker-images.lock.json#web ./result/oci",
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
            ("Check whether any tag has moved", "hocker lock check"),
        ],
    ),
    (
        "lock add",
        &[
            (
                "Pin two images, one of them under a chosen name",
                "hocker lock add debian:12 web=ghcr.io/team/app:1",
            ),
            (
                "Pin an image for one platform only",
                "hocker lock add --platform linux/arm64 debian:12",
            ),
            (
                "Reassign a name",
                "hocker lock add --force web=ghcr.io/team/app:2",
            ),
            (
                "Require that a workflow of the project signed the image",
                "hocker lock add --signed-by 'https://github.com/team/app/*@refs/tags/*' \
                 --issuer https://token.actions.githubusercontent.com ghcr.io/team/app:1",
            ),
            (
                "Require a signature by a key",
                "hocker lock add --key cosign.pub registry.example.com/team/app:1",
            ),
        ],
    ),
    (
        "lock remove",
        &[("Remove an image", "hocker lock remove web")],
    ),
    (
        "lock update",
        &[
            ("Follow one image's tag", "hocker lock update web"),
            (
                "Write a commit message about the changes",
                "hocker lock update --commit-message > message",
            ),
            (
                "Follow an image although its signer did not sign the new one",
                "hocker lock update --now web",
            ),
        ],
    ),
    (
        "lock set",
        &[(
            "Let new tags and digests of all images wait for three days",
            "hocker lock set --min-age 3d",
        )],
    ),
    (
        "lock verify",
        &[("Print who signed the images and when", "hocker lock verify")],
    ),
    (
        "lock check",
        &[(
            "Print the tags that have moved",
            "hocker lock check --json | jq .",
        )],
    ),
    ("lock list", &[("List the images", "hocker lock list")]),
    (
        "lock graph",
        &[(
            "Draw the layers that the images share",
            "hocker lock graph --format svg > layers.svg",
        )],
    ),
    (
        "lock diff",
        &[
            (
                "Show what changed since the last commit",
                "hocker lock diff",
            ),
            (
                "Write the text of a pull request, with configurations and packages",
                "hocker lock diff main --fetch-layers --format markdown > body.md",
            ),
        ],
    ),
    (
        "lock report",
        &[(
            "Write a page about the images for a web browser",
            "hocker lock report --out images.html",
        )],
    ),
    (
        "lock compose",
        &[
            (
                "Pin the images of a Compose file",
                "hocker lock compose compose.yaml",
            ),
            (
                "Only print the images, with those of a profile",
                "hocker lock compose --images --profile debug compose.yaml",
            ),
            (
                "Also write a file with which Compose uses the pinned images",
                "hocker lock compose compose.yaml --override compose.override.yaml",
            ),
        ],
    ),
    (
        "load",
        &[
            (
                "Load the result of fetchdocker into Docker",
                "hocker load ./result",
            ),
            (
                "Load it into Podman, under a further name",
                "hocker load --host unix:///run/podman/podman.sock --tag web:stable ./result",
            ),
        ],
    ),
    (
        "erofs",
        &[
            (
                "A layer that Linux mounts",
                "hocker erofs layer.tar.gz --out layer.erofs",
            ),
            (
                "From standard input, only with this content",
                "hocker erofs - --diff-id sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef \
                 --out layer.erofs < layer.tar.gz",
            ),
        ],
    ),
    (
        "mount",
        &[
            (
                "Look at the files of an image",
                "hocker mount ./result /mnt",
            ),
            (
                "Change them, without a change of the image",
                "hocker mount --upper /var/lib/changes ./result /mnt",
            ),
        ],
    ),
    ("umount", &[("Unmount the image", "hocker umount /mnt")]),
    (
        "prune",
        &[(
            "Remove the images that were loaded before, except the current one",
            "hocker prune --state /var/lib/images --keep ./result",
        )],
    ),
];

/// Returns the examples of a command, by its name on the command line: `lock add`.
pub(super) fn of(command: &str) -> Option<&'static [Example]> {
    EXAMPLES
        .iter()
        .find(|(name, _)| *name == command)
        .map(|(_, examples)| *examples)
}

/// Formats examples for a terminal.
pub(super) fn text(examples: &[Example]) -> String {
    let mut text = "Examples:".to_owned();
    for (what, line) in examples {
        // Writing to a String never fails.
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
