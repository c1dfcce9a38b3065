//! The list of mounts, as the kernel shows it to this process.
//!
//! Source: `proc_pid_mountinfo(5)`.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::Path;

use super::NAME;

/// A mount, as far as hocker needs to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mount {
    file_system: Vec<u8>,
    source: Vec<u8>,
}

impl Mount {
    /// Finds the topmost mount on a directory. `path` is absolute and has no symbolic links.
    pub(super) fn on(path: &Path) -> io::Result<Option<Self>> {
        Ok(find(&fs::read("/proc/self/mountinfo")?, path))
    }

    /// Whether hocker made it.
    pub(super) fn is_of_hocker(&self) -> bool {
        self.file_system == b"overlay" && self.source.starts_with(NAME.as_bytes())
    }
}

fn find(table: &[u8], path: &Path) -> Option<Mount> {
    let lines = table.rsplit(|byte| *byte == b'\n');
    let mut mounts = lines.filter_map(|line| {
        let mut fields = line.split(|byte| *byte == b' ');
        let point = unescaped(fields.nth(4)?);
        let mut behind = fields.skip_while(|field| *field != b"-").skip(1);
        let mount = Mount {
            file_system: unescaped(behind.next()?),
            source: unescaped(behind.next()?),
        };
        (OsString::from_vec(point).as_bytes() == path.as_os_str().as_bytes()).then_some(mount)
    });
    mounts.next()
}

/// A field without the kernel's escapes for spaces, tabs, line ends and backslashes.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = field;
    while let [first, tail @ ..] = rest {
        rest = tail;
        let octal = match (first, tail) {
            (b'\\', digits) => digits.get(..3).and_then(octal),
            _ => None,
        };
        match octal {
            Some(byte) => {
                bytes.push(byte);
                rest = tail.get(3..).unwrap_or_default();
            }
            None => bytes.push(*first),
        }
    }
    bytes
}

fn octal(digits: &[u8]) -> Option<u8> {
    let text = str::from_utf8(digits).ok()?;
    u8::from_str_radix(text, 8).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TABLE: &[u8] = b"22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/vda rw\n\
        30 22 0:40 / /mnt ro - overlay hocker:sha256:00 ro,lowerdir+=/x\n\
        31 22 0:41 / /a\\040b\\134 rw master:1 - overlay overlay rw\n\
        32 30 0:42 / /mnt rw - tmpfs hocker:not rw\n";

    #[test]
    fn the_topmost_mount_on_a_directory_counts() {
        let is_of_hocker = |path: &str| Some(find(TABLE, Path::new(path))?.is_of_hocker());
        assert_eq!(is_of_hocker("/mnt"), Some(false));
        assert_eq!(
            find(&TABLE[..120], Path::new("/mnt")).map(|mount| mount.is_of_hocker()),
            Some(true)
        );
        assert_eq!(is_of_hocker("/a b\\"), Some(false));
        assert_eq!(is_of_hocker("/mnt/x"), None);
        assert_eq!(is_of_hocker(""), None);
    }

    /// A text as the kernel writes it.
    fn escaped(text: &[u8]) -> Vec<u8> {
        let byte = |byte: &u8| match byte {
            b' ' | b'\t' | b'\n' | b'\\' | b'#' => format!("\\{byte:03o}").into_bytes(),
            _ => vec![*byte],
        };
        text.iter().flat_map(byte).collect()
    }

    proptest! {
        #[test]
        fn every_name_of_a_mount_point_and_a_source_is_found_as_it_is(
            point in prop::collection::vec(1u8.., 0..20),
            source in prop::collection::vec(1u8.., 1..20),
            before: Vec<u8>,
        ) {
            let point = [&b"/"[..], &point].concat();
            let mut table = before;
            table.extend(b"\n30 22 0:40 / ");
            table.extend(escaped(&point));
            table.extend(b" ro shared:1 - overlay ");
            table.extend(escaped(&source));
            table.extend(b" ro\n");
            let found = find(&table, Path::new(std::ffi::OsStr::from_bytes(&point))).unwrap();
            prop_assert_eq!(found.is_of_hocker(), source.starts_with(b"hocker:"));
            prop_assert_eq!(found.source, source);
        }

        #[test]
        fn any_table_is_read_without_a_panic(table: Vec<u8>) {
            let _ = find(&table, Path::new("/mnt"));
        }
    }

    #[test]
    fn nonsense_is_no_mount() {
        for table in [
            &b""[..],
            b"\n\n",
            b"1 2 3 4 /mnt",
            b"1 2 3 4 /mnt - overlay",
        ] {
            assert_eq!(find(table, Path::new("/mnt")), None);
        }
        assert_eq!(unescaped(b"\\04\\999\\"), b"\\04\\999\\");
    }
}
