//! The architecture, held: the library's modules stand in four layers and use none of a later one; the HTTP client and
//! the HTTP server have one owner each; the modules in [`OFFLINE`] see no network. The layers are read from the headings
//! in `src/lib.rs`. The program, `src/cli`, uses the library as other programs do.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::support::files::files_with_extension;

/// The headings over the groups of modules in `src/lib.rs`, highest in the list first.
const LAYERS: [&str; 4] = ["// Values.", "// Mechanisms.", "// Auth.", "// Subject."];

/// `main.rs` is shorter than this many lines.
const MAIN_LINES: usize = 30;

/// The program's module, which is none of the library's.
const PROGRAM: &str = "cli";

/// Crates that few modules may use. `http` looks for hyper's errors in those of reqwest, and speaks gRPC with it.
const OWNED_CRATES: [(&str, &[&str]); 8] = [
    ("reqwest", &["http"]),
    ("hyper", &["serve", "http"]),
    ("prost", &["daemon", "http"]),
    ("granit_parser", &["compose"]),
    ("clap", &["cli"]),
    ("indicatif", &["cli"]),
    ("roff", &["cli"]),
    ("sigstore_verify", &["signature"]),
];

/// Modules that never see the network, and what they therefore do not use. The builder of Nix's derivations fetches.
const OFFLINE: [&str; 10] = [
    "archive",
    "compose",
    "diff",
    "erofs",
    "html",
    "lock",
    "mount",
    "nix",
    "podman_store",
    "signature",
];
const NETWORK: [&str; 6] = ["http", "registry", "auth", "serve", "daemon", "pin"];
const FETCHES: &str = "nix/builder/";
/// Crates whose module `net` is the network.
const SYSTEM: [&str; 2] = ["std::", "tokio::"];

/// Sources by their path below `src/`.
pub(crate) type Tree = BTreeMap<String, String>;

/// What is wrong with a tree, one line each.
fn violations(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    let layer_of = match layers(tree.get("lib.rs").map_or("", String::as_str)) {
        Ok(layer_of) => layer_of,
        Err(error) => return vec![error],
    };
    for (path, text) in tree {
        if path == "main.rs" {
            let lines = text.lines().count();
            if lines >= MAIN_LINES {
                found.push(format!("main.rs has {lines} lines"));
            }
            continue;
        }
        let module = path.split(['/', '.']).next().unwrap_or_default();
        if module == "lib" {
            continue;
        }
        found.extend(foreign_crates(path, module, text));
        if module == PROGRAM {
            continue;
        }
        let Some(layer) = layer_of.get(module) else {
            found.push(format!("{path}: lib.rs puts `{module}` in no layer"));
            continue;
        };
        let is_offline = OFFLINE.contains(&module) && !path.starts_with(FETCHES);
        let code = without_super(path, &without_comments(text));
        for used in names_after("crate::", &code) {
            match layer_of.get(used.as_str()) {
                Some(other) if other > layer => found.push(format!(
                    "{path}: `{module}` uses `{used}` of the later layer {}",
                    LAYERS[*other]
                )),
                // Something that lib.rs itself defines or exports belongs to no layer.
                None => found.push(format!("{path}: `{used}` is in no layer")),
                Some(_) => {}
            }
            if is_offline && NETWORK.contains(&used.as_str()) {
                found.push(format!(
                    "{path}: `{module}` uses `{used}`, which is network"
                ));
            }
        }
        for system in SYSTEM {
            if is_offline && names_after(system, &code).contains(&"net".to_owned()) {
                found.push(format!(
                    "{path}: `{module}` uses `{system}net`, which is network"
                ));
            }
        }
    }
    found
}

/// The crates that a file uses and its module may not.
fn foreign_crates(path: &str, module: &str, text: &str) -> Vec<String> {
    let code = without_comments(text);
    let owned = OWNED_CRATES
        .iter()
        .filter(|(_, owners)| !owners.contains(&module));
    owned
        .filter(|(name, _)| mentions_crate(&code, name))
        .map(|(name, owners)| format!("{path}: only `{}` may use {name}", owners.join("` and `")))
        .collect()
}

/// The number of each module's layer.
fn layers(lib: &str) -> Result<BTreeMap<String, usize>, String> {
    let mut current = None;
    let mut layer_of = BTreeMap::new();
    for line in lib.lines().map(str::trim) {
        if let Some(number) = LAYERS.iter().position(|heading| *heading == line) {
            if current.is_some_and(|current| number <= current) {
                return Err(format!("lib.rs: {line} is out of order"));
            }
            current = Some(number);
        }
        let declaration = line
            .strip_prefix("pub mod ")
            .or_else(|| line.strip_prefix("pub(crate) mod "))
            .or_else(|| line.strip_prefix("mod "));
        if let Some(name) = declaration.and_then(|rest| rest.strip_suffix(';')) {
            let Some(layer) = current else {
                return Err(format!("lib.rs: `{name}` stands before the first heading"));
            };
            layer_of.insert(name.to_owned(), layer);
        }
    }
    if layer_of.is_empty() {
        return Err("lib.rs declares no modules".to_owned());
    }
    Ok(layer_of)
}

/// The text without line comments. Good enough for code that rustfmt formatted: what `//` in a string hides
/// would have to be a path of a module after a URL on one line.
pub(crate) fn without_comments(text: &str) -> String {
    text.lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

/// The text with `crate::` for each `super::super::…` that leads to the root. Modules within a file are known by
/// rustfmt's indentation.
fn without_super(path: &str, code: &str) -> String {
    let file = path.trim_end_matches(".rs").trim_end_matches("/mod");
    let depth_of_file = file.split('/').count();
    let mut inner: Vec<usize> = Vec::new();
    let mut lines = Vec::new();
    for line in code.lines() {
        let text = line.trim_start();
        let indentation = line.len() - text.len();
        if text == "}" && inner.last() == Some(&indentation) {
            inner.pop();
        }
        lines.push(line.replace(&"super::".repeat(depth_of_file + inner.len()), "crate::"));
        let declares = text.starts_with("mod ") || text.contains(" mod ");
        if declares && text.ends_with('{') {
            inner.push(indentation);
        }
    }
    lines.join("\n")
}

/// The first names after each `crate::` (or another root), those of `crate::{a, b::c}` too.
fn names_after(root: &str, code: &str) -> Vec<String> {
    let mut used = Vec::new();
    for (start, _) in code.match_indices(root) {
        let before = code[..start].chars().next_back();
        if before.is_some_and(|before| before.is_alphanumeric() || before == '_') {
            continue;
        }
        let rest = &code[start + root.len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut piece = String::new();
            for character in group.chars() {
                match character {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => used.push(std::mem::take(&mut piece)),
                    _ if depth == 0 => piece.push(character),
                    _ => {}
                }
            }
            used.push(piece);
        } else {
            used.push(rest.to_owned());
        }
    }
    used.iter()
        .map(|path| {
            path.trim_start()
                .chars()
                .take_while(|character| character.is_alphanumeric() || *character == '_')
                .collect::<String>()
        })
        .filter(|name| !name.is_empty())
        .collect()
}

fn mentions_crate(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(start, _)| {
        let word = |character: char| character.is_alphanumeric() || character == '_';
        let before = code[..start].chars().next_back();
        let after = &code[start + name.len()..];
        !before.is_some_and(word) && (after.starts_with("::") || after.starts_with(';'))
    })
}

pub(crate) fn sources() -> Tree {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    files_with_extension(&root, "rs")
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
            (name.to_owned(), fs::read_to_string(&path).unwrap())
        })
        .collect()
}

#[test]
fn modules_use_only_their_own_and_earlier_layers() {
    let sources = sources();
    assert!(sources.len() > 10, "the sources were not found");
    let found = violations(&sources);
    assert!(found.is_empty(), "{found:#?}");
}

const LIB: &str = "\
// Values.
pub mod digest;
// Mechanisms.
pub mod http;
// Auth.
pub mod auth;
// Subject.
pub mod archive;
pub mod nix;
pub mod registry;
pub mod serve;
";

fn tree(files: &[(&str, &str)]) -> Tree {
    std::iter::once(&("lib.rs", LIB))
        .chain(files)
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect()
}

#[test]
fn the_check_sees_every_kind_of_violation() {
    let long_main = "\n".repeat(MAIN_LINES);
    for (path, text, complaint) in [
        ("digest.rs", "use crate::http::Client;", "later layer"),
        ("http/retry.rs", "use crate::auth::Token;", "later layer"),
        (
            "auth/token.rs",
            "fn f(_: crate::nix::Args) {}",
            "later layer",
        ),
        (
            "http.rs",
            "use crate::{digest::{Digest, DiffId}, nix::args};",
            "`nix` of the later layer",
        ),
        (
            "registry.rs",
            "use clap::Parser;",
            "only `cli` may use clap",
        ),
        ("cli/args.rs", "use reqwest::Client;", "only `http` may"),
        (
            "nix/lock.rs",
            "use crate::registry::Client;",
            "which is network",
        ),
        ("archive/oci.rs", "use crate::http;", "which is network"),
        ("nix.rs", "use crate::serve::Server;", "which is network"),
        (
            "archive/oci.rs",
            "use std::net::TcpStream;",
            "which is network",
        ),
        ("nix.rs", "use std::{io, net};", "which is network"),
        ("nix.rs", "use tokio::net::UdpSocket;", "which is network"),
        ("digest.rs", "use super::nix::Args;", "`nix` of the later"),
        (
            "digest.rs",
            "use super::{\n    nix::Args,\n    digest,\n};",
            "`nix` of the later",
        ),
        ("http/mod.rs", "use super::auth::Token;", "`auth` of the"),
        (
            "http/a/b.rs",
            "fn f(_: super::super::super::auth::T) {}",
            "`auth` of the",
        ),
        (
            "digest.rs",
            "mod tests {\n    use super::super::nix;\n}",
            "`nix` of the later",
        ),
        ("auth/token.rs", "use reqwest::Client;", "only `http` may"),
        (
            "registry.rs",
            "fn f() { reqwest::get() }",
            "only `http` may",
        ),
        (
            "auth.rs",
            "use hyper::body::Body;",
            "only `serve` and `http` may",
        ),
        ("stray.rs", "", "in no layer"),
        ("main.rs", long_main.as_str(), "main.rs has"),
    ] {
        let found = violations(&tree(&[(path, text)]));
        assert!(
            found.len() == 1 && found[0].contains(complaint),
            "{path} {text:?}: {found:?}"
        );
    }
    assert!(violations(&tree(&[("lib.rs", "pub mod stray;\n// Values.\n")]))[0].contains("before"));
    assert!(violations(&tree(&[("lib.rs", "// Auth.\n// Values.\n")]))[0].contains("out of order"));
}

/// Foreign text reaches standard error through a type that makes it printable. The bars ask whether it is a terminal,
/// and Nix's own messages are JSON.
#[test]
fn standard_error_has_one_writer_beside_bars_and_nixs_own_messages() {
    let sources = sources();
    let writers: Vec<_> = sources
        .iter()
        .filter(|(_, text)| without_comments(text).contains("io::stderr"))
        .map(|(path, _)| path.as_str())
        .collect();
    assert_eq!(
        writers,
        [
            "cli/builder/activity.rs",
            "cli/progress.rs",
            "cli/stderr.rs"
        ]
    );
}

#[test]
fn the_check_lets_pass_what_is_right() {
    let found = violations(&tree(&[
        ("digest.rs", "//! [`crate::nix`] prints it; reqwest::x.\n"),
        ("http.rs", "use reqwest::Client; use crate::digest::Digest;"),
        ("serve/mod.rs", "use hyper::body::Body; use crate::digest;"),
        (
            "nix.rs",
            "use crate::digest::Digest; use crate::archive::Header;",
        ),
        (
            "cli/layer.rs",
            "use hocker::{registry, nix::{a, b}, http::Client}; use clap::Parser; use crate::cli::error;",
        ),
        ("http/retry.rs", "use super::auth::{self, Token};"),
        (
            "auth.rs",
            "mod tests {\n    use super::nix;\n}\nuse super::digest;",
        ),
        ("archive.rs", "use std::io; use std::fs::net;"),
        ("nix/builder/fetch.rs", "use crate::registry::Registry;"),
        ("main.rs", "mod cli; fn main() -> ExitCode { cli::main() }"),
    ]));
    assert!(found.is_empty(), "{found:?}");
}
