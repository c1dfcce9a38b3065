//! Links to the source of an image, and to the difference between two revisions of it. Each part of a link is verified:
//! the author of an image chooses these texts.

use url::Url;

/// The longest revision in characters.
const MAX_REVISION: usize = 128;

/// Software that hosts repositories, by the path of its page for a comparison.
#[derive(Clone, Copy)]
enum Host {
    /// GitHub, Gitea and Forgejo: `/OWNER/NAME/compare/A...B`.
    Compare,
    /// GitLab: `/PATH/-/compare/A...B`.
    GitLab,
}

impl Host {
    /// Recognises the software by the name of its server.
    fn of(name: &str) -> Option<Self> {
        const COMPARE: [&str; 2] = ["github.com", "codeberg.org"];
        const GITLAB: [&str; 2] = ["salsa.debian.org", "invent.kde.org"];
        let first = name.split('.').next().unwrap_or_default();
        match first {
            _ if COMPARE.contains(&name) => Some(Self::Compare),
            _ if GITLAB.contains(&name) => Some(Self::GitLab),
            "github" | "gitea" | "forgejo" => Some(Self::Compare),
            "gitlab" => Some(Self::GitLab),
            _ => None,
        }
    }
}

/// Returns the address of a repository, if the text is an https URL of one. The address has no user information, query
/// or fragment, and no character outside of ASCII.
#[must_use]
pub fn source_link(source: &str) -> Option<String> {
    Some(repository(source)?.to_string())
}

/// Returns the page that compares two revisions of a repository, if its host is known to have such a page.
#[must_use]
pub fn compare_link(source: &str, from: &str, to: &str) -> Option<String> {
    let mut url = repository(source)?;
    if from == to || !is_revision(from) || !is_revision(to) {
        return None;
    }
    let path = match Host::of(url.host_str()?)? {
        Host::Compare => {
            // An address may lead to a directory or a branch.
            let repository: Vec<_> = url.path_segments()?.take(2).collect();
            format!("/{}/compare/{from}...{to}", repository.join("/"))
        }
        Host::GitLab => {
            let repository = url.path().split("/-/").next().unwrap_or_default();
            format!("{repository}/-/compare/{from}...{to}")
        }
    };
    url.set_path(&path);
    Some(url.to_string())
}

fn repository(source: &str) -> Option<Url> {
    let mut url: Url = source.trim().parse().ok()?;
    let is_plain = url.scheme() == "https"
        && url.domain().is_some()
        && url.username().is_empty()
        && url.password().is_none();
    if !is_plain {
        return None;
    }
    url.set_query(None);
    url.set_fragment(None);
    let path = url.path().trim_end_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path).to_owned();
    let names: Vec<_> = path.trim_start_matches('/').split('/').collect();
    let is_name = |name: &&str| {
        let mut characters = name.chars();
        !name.is_empty() && characters.all(|c| c.is_ascii_alphanumeric() || "._~-".contains(c))
    };
    if names.len() < 2 || !names.iter().all(is_name) {
        return None;
    }
    url.set_path(&path);
    Some(url)
}

/// Returns whether a text can name a revision: a commit or a tag.
fn is_revision(text: &str) -> bool {
    text.len() <= MAX_REVISION
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && !text.contains("..")
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._/-".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revisions_of_known_hosts_are_compared() {
        for (source, expected) in [
            (
                "https://github.com/a/b",
                Some("https://github.com/a/b/compare/1...2"),
            ),
            (
                "https://github.com/a/b.git#0:c",
                Some("https://github.com/a/b/compare/1...2"),
            ),
            (
                "https://github.com/a/b/tree/main/c",
                Some("https://github.com/a/b/compare/1...2"),
            ),
            (
                "https://gitlab.com/a/b/c.git",
                Some("https://gitlab.com/a/b/c/-/compare/1...2"),
            ),
            (
                "https://gitlab.example.org/a/b/-/tree/x",
                Some("https://gitlab.example.org/a/b/-/compare/1...2"),
            ),
            (
                "https://codeberg.org/a/b/",
                Some("https://codeberg.org/a/b/compare/1...2"),
            ),
            (
                "https://forgejo.example.org:8443/a/b",
                Some("https://forgejo.example.org:8443/a/b/compare/1...2"),
            ),
            ("https://example.org/a/b", None),
            ("https://evil.example/github.com/a/b", None),
            ("http://github.com/a/b", None),
            ("git@github.com:a/b.git", None),
            ("javascript:alert(1)//a/b", None),
        ] {
            assert_eq!(
                compare_link(source, "1", "2").as_deref(),
                expected,
                "{source}"
            );
        }
    }

    #[test]
    fn a_link_has_no_part_that_its_author_could_use() {
        for source in [
            "https://me:pw@github.com/a/b",
            "https://github.com/a/<script>",
            "https://github.com/a/b)](https:",
            "https://github.com/a",
            "https://github.com/a//b",
            "https://[::1]/a/b",
            "data:text/html,a/b",
            "",
        ] {
            assert_eq!(source_link(source), None, "{source}");
            assert_eq!(compare_link(source, "1", "2"), None, "{source}");
        }
        let plain = source_link("https://github.com/a/b?x=<y>#\"z");
        assert_eq!(plain.as_deref(), Some("https://github.com/a/b"));
        // The second letter is Cyrillic.
        let other = source_link("https://g\u{456}thub.com/a/b").unwrap();
        assert!(other.starts_with("https://xn--"), "{other}");
        for revision in [
            "",
            "-x",
            "a..b",
            "a b",
            "a?b",
            "../..",
            "a#b",
            "a)b",
            &"x".repeat(129),
        ] {
            assert_eq!(
                compare_link("https://github.com/a/b", revision, "2"),
                None,
                "{revision}"
            );
        }
        assert_eq!(compare_link("https://github.com/a/b", "2", "2"), None);
    }
}
