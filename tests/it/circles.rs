//! No file of the sources imports another that imports it, directly or by way of others. A module's own file is the
//! face of what is below it: the two may know each other.

use std::collections::{BTreeMap, BTreeSet};

use crate::layers::{Tree, sources, without_comments};

/// The files that each file uses.
type Uses<'t> = BTreeMap<&'t str, BTreeSet<&'t str>>;

/// The modules by their paths from the root of their crate. Those of the program begin with `cli`.
struct Modules<'t> {
    files: BTreeMap<Vec<&'t str>, &'t str>,
    /// What a module's file passes on from the modules below it: the name, and the module it is from.
    passed_on: BTreeMap<(&'t str, String), Vec<String>>,
}

impl<'t> Modules<'t> {
    fn of(tree: &'t Tree) -> Self {
        let mut files = BTreeMap::new();
        let mut passed_on = BTreeMap::new();
        for (path, text) in tree {
            let module = module_of(path);
            files.insert(module.clone(), path.as_str());
            for import in imports(text) {
                if let Some(rest) = import.strip_prefix("pub self::") {
                    let rest: Vec<_> = rest.split("::").map(str::to_owned).collect();
                    if let Some((name, from)) = rest.split_last() {
                        passed_on.insert((path.as_str(), name.clone()), from.to_vec());
                    }
                }
            }
        }
        Self { files, passed_on }
    }

    /// The file that defines what a path from the root names.
    fn file_of(&self, path: &[String]) -> Option<&'t str> {
        let length = (0..=path.len()).rev().find(|length| {
            let module: Vec<_> = path[..*length].iter().map(String::as_str).collect();
            *length > 0 && self.files.contains_key(&module)
        })?;
        let module: Vec<_> = path[..length].iter().map(String::as_str).collect();
        let file = *self.files.get(&module)?;
        let passed_on = path
            .get(length)
            .and_then(|name| self.passed_on.get(&(file, name.clone())));
        match passed_on {
            Some(from) => {
                let rest = path[..length].iter().chain(from).chain(&path[length..]);
                self.file_of(&rest.cloned().collect::<Vec<_>>())
            }
            None => Some(file),
        }
    }
}

fn module_of(path: &str) -> Vec<&str> {
    let path = path.trim_end_matches(".rs");
    path.trim_end_matches("/mod").split('/').collect()
}

/// The paths that a text imports by `use`, each in full; those that it passes on begin with `pub `.
fn imports(text: &str) -> Vec<String> {
    let code = without_comments(text);
    let mut found = Vec::new();
    let mut rest = code.as_str();
    while let Some(start) = rest.find("use ") {
        let is_word = rest[..start].ends_with(|before: char| before.is_alphanumeric());
        let is_passed_on = rest[..start].trim_end().ends_with(['b', ')']);
        rest = &rest[start + "use ".len()..];
        let Some(end) = rest.find(';').filter(|_| !is_word) else {
            continue;
        };
        let mut paths = Vec::new();
        expand("", &rest[..end], &mut paths);
        let visibility = if is_passed_on { "pub " } else { "" };
        found.extend(paths.into_iter().map(|path| format!("{visibility}{path}")));
    }
    found
}

/// Expands the groups of an import.
fn expand(prefix: &str, text: &str, into: &mut Vec<String>) {
    let text = text.trim();
    let Some((head, group)) = text.split_once('{') else {
        let path = text.split(" as ").next().unwrap_or_default();
        if !path.is_empty() {
            into.push(format!("{prefix}{path}"));
        }
        return;
    };
    let prefix = format!("{prefix}{head}");
    let group = group.rsplit_once('}').map_or(group, |(group, _)| group);
    let mut depth = 0;
    let mut start = 0;
    for (index, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                expand(&prefix, &group[start..index], into);
                start = index + 1;
            }
            _ => {}
        }
    }
    expand(&prefix, &group[start..], into);
}

/// Which files each file uses, but for those above and below it.
fn uses(tree: &Tree) -> Uses<'_> {
    let modules = Modules::of(tree);
    let mut uses = Uses::new();
    for (path, text) in tree {
        let own = module_of(path);
        // Tests of a module may look anywhere.
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for import in imports(text) {
            let import = import.strip_prefix("pub ").unwrap_or(&import);
            let Some(target) = absolute(&own, import) else {
                continue;
            };
            let Some(file) = modules.file_of(&target) else {
                continue;
            };
            let other = module_of(file);
            if !own.starts_with(&other) && !other.starts_with(&own) {
                uses.entry(path.as_str()).or_default().insert(file);
            }
        }
    }
    uses
}

/// An import as a path from the root; `None` for other crates.
fn absolute(own: &[&str], import: &str) -> Option<Vec<String>> {
    let mut base: Vec<&str> = own.to_vec();
    let mut segments = import.split("::").peekable();
    match *segments.peek()? {
        "crate" => {
            base.clear();
            segments.next();
        }
        "self" => {
            segments.next();
        }
        "super" => {
            while segments.next_if_eq(&"super").is_some() {
                base.pop()?;
            }
        }
        _ => return None,
    }
    Some(
        base.into_iter()
            .chain(segments)
            .map(str::to_owned)
            .collect(),
    )
}

/// The files from which a way leads back to themselves.
fn circles<'t>(uses: &Uses<'t>) -> Vec<&'t str> {
    let reaches = |start: &'t str| {
        let mut seen = BTreeSet::new();
        let mut open = vec![start];
        while let Some(file) = open.pop() {
            for next in uses.get(file).into_iter().flatten() {
                if *next == start {
                    return true;
                }
                if seen.insert(*next) {
                    open.push(next);
                }
            }
        }
        false
    };
    uses.keys().copied().filter(|file| reaches(file)).collect()
}

#[test]
fn no_file_imports_one_that_imports_it() {
    let sources = sources();
    let uses = uses(&sources);
    assert!(uses.len() > 50, "the imports were not found");
    let found = circles(&uses);
    let among: BTreeMap<_, BTreeSet<_>> = found
        .iter()
        .map(|file| {
            let next = uses[file].iter().filter(|next| found.contains(next));
            (file, next.collect())
        })
        .collect();
    assert!(found.is_empty(), "{among:#?}");
}

fn tree(files: &[(&str, &str)]) -> Tree {
    files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect()
}

#[test]
fn the_check_sees_circles_by_every_kind_of_path() {
    for (first, second) in [
        ("use crate::a::two::B;", "use crate::a::one::A;"),
        ("use super::two::B;", "use super::one::A;"),
        (
            "use super::{two, three::C};",
            "use crate::a::{one::{A, D}};",
        ),
        // By way of the face of the room, and of a third.
        ("use super::B;", "use crate::a::A;"),
        ("use super::three::C;", "use crate::a::A;"),
    ] {
        let tree = tree(&[
            (
                "a/mod.rs",
                "mod one; pub use self::one::A; pub(super) use self::two::B;",
            ),
            ("a/one.rs", first),
            ("a/two.rs", second),
            ("a/three.rs", "use super::two::B;"),
        ]);
        let found = circles(&uses(&tree));
        assert!(
            found.contains(&"a/one.rs") && found.contains(&"a/two.rs"),
            "{first}: {found:?}"
        );
    }
    let sound = tree(&[
        ("a/mod.rs", "use self::one::A; struct B;"),
        ("a/one.rs", "use super::B; use super::two::C;"),
        (
            "a/two.rs",
            "use super::B; #[cfg(test)] mod tests { use super::super::one::A; }",
        ),
    ]);
    assert_eq!(circles(&uses(&sound)), Vec::<&str>::new());
}
