//! Extended attributes of one inode, and their form in an image.
//!
//! Sources: Linux, `fs/erofs/erofs_fs.h` (`erofs_xattr_entry`); Linux, `Documentation/filesystems/overlayfs.rst`,
//! section "Nesting overlayfs mounts"; xattr(7).

use std::collections::BTreeMap;

use super::error::EntryError;
use super::format::{BLOCK, Inode};

/// The prefixes of names that EROFS has a number for. A name of an access control list is a prefix alone.
const PREFIXES: [(&[u8], u8); 5] = [
    (b"user.", 1),
    (b"system.posix_acl_access", 2),
    (b"system.posix_acl_default", 3),
    (b"trusted.", 4),
    (b"security.", 6),
];

const USER: u8 = 1;
const ACCESS_LIST: u8 = 2;
const DEFAULT_LIST: u8 = 3;
const TRUSTED: u8 = 4;

/// What overlayfs reads, below `trusted.` and `user.`.
const OVERLAY: &[u8] = b"overlay.";

/// The longest name, in bytes (`XATTR_NAME_MAX`).
const MAX_NAME: usize = 255;

/// All attributes of an inode have at most this size in bytes. So an inode never needs more than a block; ext4 has
/// about the same limit.
const MAX_BYTES: usize = BLOCK - Inode::EXTENDED;

/// The size of the header, which states that there are no shared attributes, in bytes.
const HEADER: usize = 12;
/// The size of an entry without its name and value, in bytes.
const ENTRY: usize = 4;

/// The number of a prefix, and the rest of the name.
type Name = (u8, Box<[u8]>);

/// The extended attributes of one inode.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Attributes {
    values: BTreeMap<Name, Box<[u8]>>,
}

impl Attributes {
    /// Sets an attribute that a layer lists. Names of other systems and those of overlayfs are left out.
    pub(super) fn set(&mut self, name: &[u8], value: &[u8]) -> Result<(), EntryError> {
        if name.len() > MAX_NAME {
            return Err(EntryError::AttributeName);
        }
        let Some((prefix, rest)) = PREFIXES
            .iter()
            .find_map(|(prefix, number)| Some((*number, name.strip_prefix(*prefix)?)))
        else {
            return Ok(());
        };
        match prefix {
            ACCESS_LIST | DEFAULT_LIST if !rest.is_empty() => return Ok(()),
            ACCESS_LIST | DEFAULT_LIST => {}
            USER | TRUSTED if rest.starts_with(OVERLAY) => return Ok(()),
            // The kernel prints the name as a text that ends with a zero byte.
            _ if rest.is_empty() || rest.contains(&0) => return Err(EntryError::AttributeName),
            _ => {}
        }
        self.values.insert((prefix, rest.into()), value.into());
        self.check()
    }

    /// Hides what lower layers have in this directory.
    pub(super) fn set_opaque(&mut self) -> Result<(), EntryError> {
        for prefix in [TRUSTED, USER] {
            let name = (prefix, [OVERLAY, b"opaque"].concat().into());
            self.values.insert(name, (*b"y").into());
        }
        self.check()
    }

    /// Takes away what hides lower layers, and returns whether it was there.
    pub(super) fn take_opaque(&mut self) -> bool {
        let opaque = [OVERLAY, b"opaque"].concat();
        let before = self.values.len();
        self.values
            .retain(|(prefix, name), _| !matches!(*prefix, TRUSTED | USER) || **name != *opaque);
        self.values.len() < before
    }

    /// Sets all attributes of `others`.
    pub(super) fn merge(&mut self, others: Self) -> Result<(), EntryError> {
        self.values.extend(others.values);
        self.check()
    }

    /// Leaves out what only regular files and directories can have. Linux refuses `user.` attributes of all others.
    pub(super) fn without_user(mut self) -> Self {
        self.values
            .retain(|(prefix, _), _| !matches!(*prefix, USER | DEFAULT_LIST));
        self
    }

    fn check(&self) -> Result<(), EntryError> {
        if self.size() > MAX_BYTES {
            return Err(EntryError::Attributes { limit: MAX_BYTES });
        }
        Ok(())
    }

    /// The size in an image, in bytes.
    pub(super) fn size(&self) -> usize {
        if self.values.is_empty() {
            return 0;
        }
        let entries = self
            .values
            .iter()
            .map(|((_, name), value)| (ENTRY + name.len() + value.len()).next_multiple_of(ENTRY));
        HEADER + entries.sum::<usize>()
    }

    /// The header and the entries; nothing if there are no attributes.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        if self.values.is_empty() {
            return Vec::new();
        }
        let mut bytes = vec![0; HEADER];
        for ((prefix, name), value) in &self.values {
            // `set` and `check` bound both.
            let length = u8::try_from(name.len()).unwrap_or(u8::MAX);
            let size = u16::try_from(value.len()).unwrap_or(u16::MAX);
            bytes.extend([length, *prefix]);
            bytes.extend(size.to_le_bytes());
            bytes.extend(name);
            bytes.extend(value);
            bytes.resize(bytes.len().next_multiple_of(ENTRY), 0);
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(list: &[(&str, &[u8])]) -> Attributes {
        let mut attributes = Attributes::default();
        for (name, value) in list {
            attributes.set(name.as_bytes(), value).unwrap();
        }
        attributes
    }

    #[test]
    fn entries_have_the_number_of_the_prefix_and_the_rest_of_the_name() {
        assert_eq!(Attributes::default().to_bytes(), b"");
        let attributes = of(&[
            ("security.capability", b"abcde"),
            ("user.a", b""),
            ("system.posix_acl_access", b"list"),
            ("trusted.x", b"1"),
        ]);
        let expected = [
            &[0; 12][..],
            &[1, 1, 0, 0, b'a', 0, 0, 0],
            &[0, 2, 4, 0, b'l', b'i', b's', b't'],
            &[1, 4, 1, 0, b'x', b'1', 0, 0],
            &[10, 6, 5, 0],
            b"capabilityabcde\0",
        ];
        assert_eq!(attributes.to_bytes(), expected.concat());
        assert_eq!(attributes.size(), expected.concat().len());
    }

    #[test]
    fn names_of_overlayfs_and_of_other_systems_are_left_out() {
        for name in [
            "trusted.overlay.opaque",
            "trusted.overlay.redirect",
            "trusted.overlay.overlay.opaque",
            "user.overlay.metacopy",
            "system.nfs4_acl",
            "system.posix_acl_access2",
            "com.apple.quarantine",
            "",
        ] {
            assert_eq!(of(&[(name, b"y")]), Attributes::default(), "{name}");
        }
        assert_ne!(of(&[("user.overlayed", b"")]), Attributes::default());
    }

    #[test]
    fn an_opaque_directory_is_so_for_every_kind_of_mount() {
        let mut attributes = Attributes::default();
        attributes.set_opaque().unwrap();
        let bytes = attributes.to_bytes();
        let expected = [
            &[0; 12][..],
            &[14, 1, 1, 0],
            b"overlay.opaquey\0",
            &[14, 4, 1, 0],
            b"overlay.opaquey\0",
        ];
        assert_eq!(bytes, expected.concat());
        assert!(attributes.take_opaque() && !attributes.take_opaque());
        assert_eq!(attributes, Attributes::default());
    }

    #[test]
    fn only_files_and_directories_have_attributes_of_users() {
        let all = of(&[
            ("user.a", b""),
            ("trusted.b", b""),
            ("system.posix_acl_default", b""),
        ]);
        assert_eq!(all.without_user(), of(&[("trusted.b", b"")]));
    }

    #[test]
    fn refuses_names_and_sizes_that_the_kernel_or_a_block_does_not_take() {
        let mut attributes = Attributes::default();
        let long = format!("user.{}", "x".repeat(251));
        for name in ["user.", "security.", "user.a\0b", &long] {
            assert!(attributes.set(name.as_bytes(), b"").is_err(), "{name}");
        }
        attributes.set(&long.as_bytes()[..255], b"").unwrap();
        let mut attributes = Attributes::default();
        let fits = MAX_BYTES - HEADER - ENTRY - 1;
        attributes.set(b"user.a", &vec![0; fits]).unwrap();
        assert_eq!(attributes.to_bytes().len(), MAX_BYTES);
        assert!(attributes.clone().set(b"user.b", b"").is_err());
        assert!(attributes.set(b"user.a", &vec![0; fits + 1]).is_err());
    }
}
