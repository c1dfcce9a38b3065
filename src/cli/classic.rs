//! The classic command lines: five programs (`hocker-manifest`, …), which are symbolic links to this one, and the
//! `+RTS … -RTS` options of their old runtime, which nixpkgs' old fetchers pass.

use std::ffi::{OsStr, OsString};
use std::path::Path;

/// The names of the program: `hocker` and the classic ones.
pub(super) const PROGRAMS: [&str; 6] = [
    "hocker",
    "hocker-manifest",
    "hocker-config",
    "hocker-layer",
    "hocker-image",
    "docker2nix",
];

/// Turns a classic command line into one with a subcommand. Other command lines stay unchanged.
pub(super) fn rewrite(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments = arguments.into_iter();
    let program = arguments.next().unwrap_or_else(|| "hocker".into());
    let subcommand = subcommand(&program);
    std::iter::once(program)
        .chain(subcommand.map(OsString::from))
        .chain(without_runtime_options(arguments))
        .collect()
}

/// Whether this process was called by a classic name.
pub(super) fn is_classic() -> bool {
    std::env::args_os()
        .next()
        .is_some_and(|program| subcommand(&program).is_some())
}

/// Returns the subcommand for a classic program name.
pub(super) fn subcommand(program: &OsStr) -> Option<&'static str> {
    match Path::new(program).file_name()?.to_str()? {
        "hocker-manifest" => Some("manifest"),
        "hocker-config" => Some("config"),
        "hocker-layer" => Some("layer"),
        "hocker-image" => Some("image"),
        "docker2nix" => Some("docker2nix"),
        _ => None,
    }
}

/// Drops everything from `+RTS` to `-RTS` or the end, as GHC's runtime does.
fn without_runtime_options(
    arguments: impl Iterator<Item = OsString>,
) -> impl Iterator<Item = OsString> {
    let mut inside = false;
    arguments.filter(move |argument| {
        let (begins, ends) = (argument == "+RTS", argument == "-RTS");
        let keep = !inside && !begins && !ends;
        inside = (inside || begins) && !ends;
        keep
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(line: &str) -> String {
        rewrite(line.split(' ').map(OsString::from))
            .join(OsStr::new(" "))
            .into_string()
            .unwrap()
    }

    #[test]
    fn every_name_but_its_own_is_a_subcommand() {
        for name in PROGRAMS {
            assert_eq!(subcommand(name.as_ref()).is_some(), name != "hocker");
        }
    }

    #[test]
    fn classic_names_become_subcommands() {
        for (line, expected) in [
            (
                "/nix/store/x/bin/hocker-layer --out=o a/b t +RTS -N4 -RTS",
                "/nix/store/x/bin/hocker-layer layer --out=o a/b t",
            ),
            ("docker2nix a b", "docker2nix docker2nix a b"),
            ("hocker +RTS -s -RTS manifest a", "hocker manifest a"),
            ("hocker manifest a +RTS -s", "hocker manifest a"),
            ("./hocker layer x", "./hocker layer x"),
        ] {
            assert_eq!(rewritten(line), expected);
        }
    }
}
