//! Users of an image. systemd looks for names in the host's database, so a unit needs numbers.
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
    user: u32,
    group: u32,
    home: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    name: String,
    group: u32,
    members: Vec<String>,
}

/// What a process runs as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) user: u32,
    pub(super) group: u32,
    /// Further groups.
    pub(super) groups: Vec<u32>,
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
                user,
                group,
                home: home.to_owned(),
            })
        };
        let group_of = |line: &str| {
            let mut fields = line.split(':');
            let (name, _) = (fields.next()?, fields.next()?);
            let group = number(fields.next()?)?;
            let members = fields.next().unwrap_or_default().split(',');
            Some(Group {
                name: name.to_owned(),
                group,
                members: members.map(str::to_owned).collect(),
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
            found.name == user || by_number.is_some_and(|number| number == found.user)
        });
        let mut identity = match (found, by_number) {
            (Some(found), _) => Identity {
                user: found.user,
                group: found.group,
                groups: Vec::new(),
                home: found.home.clone(),
            },
            (None, Some(number)) => Identity {
                user: number,
                group: 0,
                groups: Vec::new(),
                home: String::new(),
            },
            (None, None) => return Err(Error::User(user.to_owned())),
        };
        if !identity.home.starts_with('/') || identity.home.chars().any(char::is_control) {
            identity.home = if identity.user == 0 { "/root" } else { "/" }.to_owned();
        }
        match group {
            Some(group) => identity.group = self.group(group)?,
            None => identity.groups = self.groups_of(found),
        }
        Ok(identity)
    }

    fn group(&self, text: &str) -> Result<u32, Error> {
        let named = self.groups.iter().find(|group| group.name == text);
        let group = named.map(|group| group.group).or_else(|| number(text));
        group.ok_or_else(|| Error::Group(text.to_owned()))
    }

    /// The further groups of a user, without those that root needs not be in.
    fn groups_of(&self, user: Option<&User>) -> Vec<u32> {
        let Some(user) = user.filter(|user| user.user != 0) else {
            return Vec::new();
        };
        let groups = self
            .groups
            .iter()
            .filter(|group| group.members.contains(&user.name) && group.group != user.group);
        let mut groups: Vec<_> = groups.map(|group| group.group).collect();
        groups.sort_unstable();
        groups.dedup();
        groups
    }
}

/// A number of a user or group that systemd accepts.
fn number(text: &str) -> Option<u32> {
    let number = text.parse().ok()?;
    Some(number).filter(|number| !INVALID.contains(number))
}
