//! The netrc file, parsed as curl does: words with blanks and newlines between them, keywords in any case, quoted words
//! with `\n`, `\r` and `\t`. Lines that start with `#` are ignored, and `macdef` up to an empty line.
//!
//! Sources: The netrc file, GNU Inetutils manual; curl's `lib/netrc.c`.

use super::Proof;
use crate::name::{RegistryName, docker_hub};
use crate::secret::Secret;

/// Returns the first user name and password for a registry's host. Ignores the port, and entries without both.
pub fn find(text: &str, registry: &RegistryName) -> Result<Option<Proof>, Error> {
    let hosts = hosts(registry);
    let mut words = Words::new(text);
    let mut entry = Entry::default();
    while let Some(word) = words.next()? {
        let keyword = match word {
            Word::Bare(text) => text.to_ascii_lowercase(),
            Word::Quoted(_) => continue,
        };
        let begins_entry = matches!(keyword.as_str(), "machine" | "default" | "macdef");
        if begins_entry && let Some(proof) = std::mem::take(&mut entry).proof() {
            return Ok(Some(proof));
        }
        match keyword.as_str() {
            "machine" => {
                let name = words.value()?.unwrap_or_default();
                entry.matches = hosts.iter().any(|host| host.eq_ignore_ascii_case(&name));
            }
            "default" => entry.matches = true,
            "login" => entry.login = words.value()?,
            "password" => entry.password = words.value()?,
            "account" => {
                words.value()?;
            }
            "macdef" => words.skip_macro(),
            _ => {}
        }
    }
    Ok(entry.proof())
}

/// Returns the possible host names of a registry in a netrc file.
fn hosts(registry: &RegistryName) -> Vec<&str> {
    if registry.is_docker_hub() {
        return docker_hub::NAMES.to_vec();
    }
    let name = registry.as_str();
    vec![match name.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => name.split(':').next().unwrap_or(name),
    }]
}

#[derive(Default)]
struct Entry {
    matches: bool,
    login: Option<String>,
    password: Option<String>,
}

impl Entry {
    fn proof(self) -> Option<Proof> {
        let (username, password) = self.login.zip(self.password).filter(|_| self.matches)?;
        Some(Proof::Basic {
            username,
            password: Secret::new(password),
        })
    }
}

enum Word {
    Bare(String),
    Quoted(String),
}

/// The words of a file, without comments.
struct Words {
    text: Vec<char>,
    at: usize,
}

impl Words {
    fn new(text: &str) -> Self {
        // As in curl, comments are removed first, even inside a quoted word.
        let text = text
            .split_inclusive('\n')
            .filter(|line| !line.trim_start_matches([' ', '\t']).starts_with('#'))
            .flat_map(str::chars)
            .collect();
        Self { text, at: 0 }
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += 1;
        Some(next)
    }

    fn next(&mut self) -> Result<Option<Word>, Error> {
        while self.peek().is_some_and(is_blank) {
            self.at += 1;
        }
        let Some(first) = self.peek() else {
            return Ok(None);
        };
        if first == '"' {
            self.at += 1;
            return self.quoted().map(Word::Quoted).map(Some);
        }
        let mut word = String::new();
        while let Some(next) = self.peek().filter(|next| !is_blank(*next)) {
            word.push(next);
            self.at += 1;
        }
        Ok(Some(Word::Bare(word)))
    }

    /// Returns the word after a keyword. It may be the same text as a keyword.
    fn value(&mut self) -> Result<Option<String>, Error> {
        Ok(self.next()?.map(|word| match word {
            Word::Bare(text) | Word::Quoted(text) => text,
        }))
    }

    fn quoted(&mut self) -> Result<String, Error> {
        let mut word = String::new();
        loop {
            match self.take().ok_or(Error::Quote)? {
                '"' => return Ok(word),
                '\\' => word.push(match self.take().ok_or(Error::Quote)? {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    other => other,
                }),
                other => word.push(other),
            }
        }
    }

    /// Skips a macro, which ends at an empty line.
    fn skip_macro(&mut self) {
        let mut newlines = 0;
        while newlines < 2 {
            match self.take() {
                Some('\n') => newlines += 1,
                Some('\r') => {}
                Some(_) => newlines = 0,
                None => return,
            }
        }
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// A file that cannot be parsed. The message quotes nothing of it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A quoted word without an end.
    #[error("the file contains a quoted word without an end")]
    Quote,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(text: &str, registry: &str) -> Option<String> {
        match find(text, &registry.parse().unwrap()).unwrap()? {
            Proof::Basic { username, password } => {
                Some(format!("{username}:{}", password.expose()))
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn finds_what_curl_finds() {
        for (text, registry, expected) in [
            (
                "machine r.example login ann password x",
                "r.example",
                Some("ann:x"),
            ),
            (
                "machine r.example\n\tpassword x\n\tlogin ann\n",
                "r.example:5000",
                Some("ann:x"),
            ),
            (
                "MACHINE R.Example LOGIN ann PASSWORD x",
                "r.example",
                Some("ann:x"),
            ),
            (
                "machine r.example login ann account a password x",
                "r.example",
                Some("ann:x"),
            ),
            (
                "machine a login b password c\r\nmachine r.example login ann password x\r\n",
                "r.example",
                Some("ann:x"),
            ),
            ("machine a login b password c", "r.example", None),
            (
                "machine a login b password c\ndefault login d password e",
                "r.example",
                Some("d:e"),
            ),
            // The first entry wins, even if it is the default.
            (
                "default login d password e\nmachine r.example login ann password x",
                "r.example",
                Some("d:e"),
            ),
            // An entry without a user name or password is ignored.
            (
                "machine r.example login ann\nmachine r.example login bob password y",
                "r.example",
                Some("bob:y"),
            ),
            // Values that look like keywords.
            (
                "machine r.example login machine password password",
                "r.example",
                Some("machine:password"),
            ),
            (
                "machine machine login a password b",
                "machine:1",
                Some("a:b"),
            ),
            (
                "machine ::1 login ann password x",
                "[::1]:5000",
                Some("ann:x"),
            ),
            (
                "machine index.docker.io login ann password x",
                "docker.io",
                Some("ann:x"),
            ),
            (
                "machine registry-1.docker.io login ann password x",
                "docker.io",
                Some("ann:x"),
            ),
            ("", "r.example", None),
            ("machine", "r.example", None),
            ("machine r.example login", "r.example", None),
        ] {
            assert_eq!(
                found(text, registry).as_deref(),
                expected,
                "{text:?} for {registry}"
            );
        }
    }

    #[test]
    fn quotes_comments_and_macros_are_curls() {
        for (text, expected) in [
            // Quotes, and quotes that are not at the start of a word.
            (
                r#"machine "r.example" login "a n n" password "\"x\\\t#""#,
                Some("a n n:\"x\\\t#"),
            ),
            (
                r#"machine r.example login ann password x"y"#,
                Some("ann:x\"y"),
            ),
            // Comments are whole lines.
            (
                "# machine r.example login no password no\n  # more\nmachine r.example login ann password #x",
                Some("ann:#x"),
            ),
            // Macros end at an empty line.
            (
                "macdef init\nmachine r.example login no password no\n\nmachine r.example login ann password x",
                Some("ann:x"),
            ),
            (
                "machine a login b password c macdef m\n\r\nmachine r.example login ann password x",
                Some("ann:x"),
            ),
        ] {
            assert_eq!(found(text, "r.example").as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn refuses_quotes_without_end() {
        for text in [r#"machine "a"#, r#"password "a\""#, "\"\\"] {
            assert_eq!(
                find(text, &"r.example".parse().unwrap()),
                Err(Error::Quote),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_a_panic(
            text in "([ \t\r\n\"\\\\#x]|machine |default |login |password |macdef |é){0,24}"
        ) {
            let _ = find(&text, &"x".parse().unwrap());
        }
    }
}
