//! Inodes: the compact form of 32 bytes, and the extended form of 64 bytes.

use super::Time;

/// How the content of an inode is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::erofs) enum Layout {
    /// In whole blocks.
    Plain,
    /// In whole blocks, and the rest behind the inode.
    Inline,
}

/// An inode, without its extended attributes and its content.
#[derive(Clone, Debug)]
pub(in crate::erofs) struct Inode {
    pub(in crate::erofs) layout: Layout,
    /// The size of the extended attributes in bytes, with their header.
    pub(in crate::erofs) attributes: usize,
    /// The type and the permissions.
    pub(in crate::erofs) mode: u16,
    /// The size of the content in bytes.
    pub(in crate::erofs) size: u64,
    /// The first block of the content, or the number of a device.
    pub(in crate::erofs) address: u32,
    /// The inode number for programs that know 32 bits alone.
    pub(in crate::erofs) number: u32,
    pub(in crate::erofs) user: u32,
    pub(in crate::erofs) group: u32,
    pub(in crate::erofs) time: Time,
    pub(in crate::erofs) links: u32,
}

/// The size of the header of extended attributes in bytes.
const ATTRIBUTES_HEADER: usize = 12;

impl Inode {
    /// The size of an extended inode in bytes.
    pub(in crate::erofs) const EXTENDED: usize = 64;
    /// The size of a compact inode in bytes.
    pub(in crate::erofs) const COMPACT: usize = 32;

    /// The size in bytes, in an image whose compact inodes have the time `common`.
    pub(in crate::erofs) fn bytes(&self, common: Time) -> usize {
        match self.compact(common) {
            Some(_) => Self::COMPACT,
            None => Self::EXTENDED,
        }
    }

    /// What the compact form holds in fewer bits: the links, the size, the user and the group.
    fn compact(&self, common: Time) -> Option<(u16, u32, u16, u16)> {
        (self.time == common).then_some(())?;
        Some((
            self.links.try_into().ok()?,
            self.size.try_into().ok()?,
            self.user.try_into().ok()?,
            self.group.try_into().ok()?,
        ))
    }

    /// The compact form if it holds everything, else the extended form.
    pub(in crate::erofs) fn to_bytes(&self, common: Time) -> Vec<u8> {
        let compact = self.compact(common);
        let layout: u16 = match self.layout {
            Layout::Plain => 0,
            Layout::Inline => 2,
        };
        let mut bytes = Vec::with_capacity(Self::EXTENDED);
        bytes.extend((layout << 1 | u16::from(compact.is_none())).to_le_bytes());
        bytes.extend(self.attribute_units().to_le_bytes());
        bytes.extend(self.mode.to_le_bytes());
        if let Some((links, size, user, group)) = compact {
            bytes.extend(links.to_le_bytes());
            bytes.extend(size.to_le_bytes());
            bytes.extend([0; 4]);
            bytes.extend(self.address.to_le_bytes());
            bytes.extend(self.number.to_le_bytes());
            bytes.extend(user.to_le_bytes());
            bytes.extend(group.to_le_bytes());
            bytes.resize(Self::COMPACT, 0);
        } else {
            bytes.extend([0; 2]);
            bytes.extend(self.size.to_le_bytes());
            bytes.extend(self.address.to_le_bytes());
            bytes.extend(self.number.to_le_bytes());
            bytes.extend(self.user.to_le_bytes());
            bytes.extend(self.group.to_le_bytes());
            bytes.extend(self.time.seconds.to_le_bytes());
            bytes.extend(self.time.nanoseconds.to_le_bytes());
            bytes.extend(self.links.to_le_bytes());
            bytes.resize(Self::EXTENDED, 0);
        }
        bytes
    }

    /// The size of the extended attributes as the inode states it: 1 for the header, and 1 for each four bytes more.
    fn attribute_units(&self) -> u16 {
        match self.attributes.checked_sub(ATTRIBUTES_HEADER) {
            // The attributes of an inode have less than a block.
            Some(bytes) => u16::try_from(bytes / 4 + 1).unwrap_or(u16::MAX),
            None => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: Time = Time {
        seconds: 7,
        nanoseconds: 8,
    };

    fn inode() -> Inode {
        Inode {
            layout: Layout::Inline,
            attributes: 20,
            mode: 0o100_644,
            size: 3,
            address: 4,
            number: 5,
            user: 6,
            group: 65_535,
            time: TIME,
            links: 2,
        }
    }

    #[test]
    fn fields_of_a_compact_inode_are_where_the_kernel_reads_them() {
        let bytes = inode().to_bytes(TIME);
        let expected = [
            [4, 0, 3, 0, 0xa4, 0x81, 2, 0],
            [3, 0, 0, 0, 0, 0, 0, 0],
            [4, 0, 0, 0, 5, 0, 0, 0],
            [6, 0, 0xff, 0xff, 0, 0, 0, 0],
        ];
        assert_eq!(bytes, expected.concat());
    }

    #[test]
    fn fields_of_an_extended_inode_are_where_the_kernel_reads_them() {
        let bytes = inode().to_bytes(Time::default());
        let expected = [
            [5, 0, 3, 0, 0xa4, 0x81, 0, 0],
            [3, 0, 0, 0, 0, 0, 0, 0],
            [4, 0, 0, 0, 5, 0, 0, 0],
            [6, 0, 0, 0, 0xff, 0xff, 0, 0],
            [7, 0, 0, 0, 0, 0, 0, 0],
            [8, 0, 0, 0, 2, 0, 0, 0],
            [0; 8],
            [0; 8],
        ];
        assert_eq!(bytes, expected.concat());
    }

    #[test]
    fn what_a_compact_inode_cannot_hold_makes_it_extended() {
        let changes: [fn(&mut Inode); 5] = [
            |inode| inode.links = 65_536,
            |inode| inode.size = 1 << 32,
            |inode| inode.user = 65_536,
            |inode| inode.group = 65_536,
            |inode| inode.time.nanoseconds += 1,
        ];
        assert_eq!(inode().bytes(TIME), 32);
        for change in changes {
            let mut inode = inode();
            change(&mut inode);
            assert_eq!(inode.bytes(TIME), 64);
            assert_eq!(inode.to_bytes(TIME).len(), 64);
        }
    }
}
