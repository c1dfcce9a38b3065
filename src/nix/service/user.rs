//! Users of an image. systemd looks for names in the host's database, so a unit needs numbers. It starts programs only
//! as users and groups that the host has, even if they are given as numbers (systemd 252, `get_fixed_user`).
//!
//! Source: passwd(5), group(5); moby/sys, `user/user.go`, `GetExecUser`.

use super::error::Error;

/// systemd uses no such numbers: they mean "unchanged", as 32 or 16 bits.
const INVALID: [u32; 2] = [u32::MAX, 0xffff];

/// The users and groups of an image: its `/etc/passwd` and `/etc/group`. Lines that are not understood are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Users {
    users: Vec<User>,
    groups: Vec<Group>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct User {
    name: String,
    number: u32,
    group: u32,
    home: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    name: String,
    number: u32,
}

/// What a process runs as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) user: u32,
    pub(super) group: u32,
    pub(super) home: String,
}

impl Users {
    /// Reads the texts of `/etc/passwd` and `/etc/group`, which may be empty.
    #[must_use]
    pub fn parse(passwd: &str, group: &str) -> Self {
        let user = |line: &str| {
            let mut fields = line.split(':');
            let (name, _) = (fields.next()?, fields.next()?);
            let (user, group) = (number(fields.next()?)?, number(fields.next()?)?);
            let home = fields.nth(1).unwrap_or_default();
            Some(User {
                name: name.to_owned(),
                number: user,
                group,
                home: home.to_owned(),
            })
        };
        let group_of = |line: &str| {
            let mut fields = line.split(':');
            let (name, _) = (fields.next()?, fields.next()?);
            Some(Group {
                name: name.to_owned(),
                number: number(fields.next()?)?,
            })
        };
        Self {
            users: passwd.lines().filter_map(user).collect(),
            groups: group.lines().filter_map(group_of).collect(),
        }
    }

    /// Finds the user, and the group behind a colon, of a config. An empty text is root.
    pub(super) fn resolve(&self, text: &str) -> Result<Identity, Error> {
        let (user, group) = match text.split_once(':') {
            Some((user, group)) => (user, Some(group).filter(|group| !group.is_empty())),
            None => (text, None),
        };
        let user = if user.is_empty() { "0" } else { user };
        let by_number = number(user);
        let found = self.users.iter().find(|found| {
            found.name == user || by_number.is_some_and(|number| number == found.number)
        });
        let mut identity = match (found, by_number) {
            (Some(found), _) => Identity {
                user: found.number,
                group: found.group,
                home: found.home.clone(),
            },
            (None, Some(number)) => Identity {
                user: number,
                group: 0,
                home: String::new(),
            },
            (None, None) => return Err(Error::User(user.to_owned())),
        };
        if !identity.home.starts_with('/') || identity.home.chars().any(char::is_control) {
            let home = if identity.user == 0 { "/root" } else { "/" };
            home.clone_into(&mut identity.home);
        }
        if let Some(group) = group {
            identity.group = self.group(group)?;
        }
        Ok(identity)
    }

    fn group(&self, text: &str) -> Result<u32, Error> {
        let named = self.groups.iter().find(|group| group.name == text);
        let group = named.map(|group| group.number).or_else(|| number(text));
        group.ok_or_else(|| Error::Group(text.to_owned()))
    }
}

impl Identity {
    /// Refuses everyone but root.
    pub(super) fn require_root(self, name: &str) -> Result<Self, Error> {
        let (user, group) = (self.user, self.group);
        if (user, group) == (0, 0) {
            return Ok(self);
        }
        let name = name.to_owned();
        Err(Error::NotRoot { name, user, group })
    }
}

/// A number of a user or group that systemd accepts.
fn number(text: &str) -> Option<u32> {
    let number = text.parse().ok()?;
    Some(number).filter(|number| !INVALID.contains(number))
}
