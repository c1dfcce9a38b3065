//! The texts in which package managers keep their lists.
//!
//! Sources: dpkg, `deb822(7)` and `deb-control(5)`; Alpine, "Apk spec", section "Installed database".

use super::{Manager, PackageName, Packages};

/// More packages than this are not kept. The largest images have some thousands.
const MAX_PACKAGES: usize = 200_000;

/// States in which dpkg has none of a package's files (`dpkg-query(1)`).
const NOT_PRESENT: [&str; 2] = ["not-installed", "config-files"];

/// Adds the packages of dpkg's `status`, or of one file in `status.d`.
pub(super) fn add_dpkg(packages: &mut Packages, text: &[u8]) {
    for paragraph in paragraphs(text) {
        let mut state = "";
        let (mut name, mut version, mut architecture) = ("", "", "");
        for line in paragraph.lines() {
            // A line that begins with a space continues the field above it.
            let Some((field, value)) = line.split_once(':') else {
                continue;
            };
            let value = value.trim();
            match field {
                "Package" => name = value,
                "Version" => version = value,
                "Architecture" => architecture = value,
                "Status" => state = value.rsplit(' ').next().unwrap_or_default(),
                _ => {}
            }
        }
        if !NOT_PRESENT.contains(&state) {
            add(packages, Manager::Dpkg, name, architecture, version);
        }
    }
}

/// Adds the packages of apk's `installed`.
pub(super) fn add_apk(packages: &mut Packages, text: &[u8]) {
    for paragraph in paragraphs(text) {
        let field = |letter: char| {
            let mut lines = paragraph.lines();
            lines
                .find_map(|line| line.strip_prefix(letter)?.strip_prefix(':'))
                .unwrap_or_default()
        };
        add(packages, Manager::Apk, field('P'), field('A'), field('V'));
    }
}

fn add(packages: &mut Packages, manager: Manager, name: &str, architecture: &str, version: &str) {
    if name.is_empty() || packages.versions.len() >= MAX_PACKAGES {
        return;
    }
    let name = PackageName {
        manager,
        name: name.to_owned(),
        architecture: architecture.to_owned(),
    };
    packages.versions.insert(name, version.to_owned());
}

/// Splits a text at its empty lines.
fn paragraphs(text: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(text).replace("\r\n", "\n");
    text.split("\n\n").map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(packages: &Packages) -> Vec<String> {
        let versions = packages.versions.iter();
        versions
            .map(|(name, version)| format!("{}:{} {version}", name.name, name.architecture))
            .collect()
    }

    #[test]
    fn packages_that_dpkg_has_removed_are_not_listed() {
        let mut packages = Packages::default();
        add_dpkg(
            &mut packages,
            b"Package: a\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:2-3\nDescription: x\n \
              Version: 9\n\nPackage: b\nStatus: deinstall ok config-files\nVersion: 1\n\nPackage: c\nVersion: 4\n\n\n",
        );
        assert_eq!(shown(&packages), ["a:amd64 1:2-3", "c: 4"]);
    }

    #[test]
    fn packages_of_alpine_are_listed() {
        let mut packages = Packages::default();
        add_apk(
            &mut packages,
            b"C:Q1x=\nP:musl\nV:1.2.4-r2\nA:x86_64\nF:lib\n\nP:busybox\nV:1.36\nA:x86_64\n\n",
        );
        assert_eq!(
            shown(&packages),
            ["busybox:x86_64 1.36", "musl:x86_64 1.2.4-r2"]
        );
    }

    #[test]
    fn any_bytes_are_read() {
        let mut packages = Packages::default();
        for text in [
            &b"\xff\xfe\x00"[..],
            b":\n:\n\n::",
            b"Package:\n\nPackage",
            b"P:\n\nP",
        ] {
            add_dpkg(&mut packages, text);
            add_apk(&mut packages, text);
        }
        assert!(packages.versions.is_empty());
    }
}
