//! The records of a PAX extended header, which describe the next entry.
//!
//! Source: POSIX.1-2017 `pax`, "pax Extended Header"; Go, `archive/tar/reader.go`, `mergePAX`.

use super::number::decimal;
use super::sparse::{self, Form, Segment};
use super::{Entry, bounded};
use crate::erofs::error::Error;
use crate::erofs::format::Time;

/// The prefix of extended attributes, which star introduced and everyone uses.
const ATTRIBUTE: &[u8] = b"SCHILY.xattr.";

const WRONG: Error = Error::Archive("an extended header is malformed");

/// Records in the order of the header.
#[derive(Debug, Default)]
pub(super) struct Records {
    records: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Records {
    /// Parses records of the form `LENGTH KEY=VALUE\n`.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let mut records = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            let blank = rest.iter().position(|byte| *byte == b' ').ok_or(WRONG)?;
            let length: usize = rest.get(..blank).and_then(decimal).ok_or(WRONG)?;
            let record = rest.get(blank + 1..length).ok_or(WRONG)?;
            let record = record.strip_suffix(b"\n").ok_or(WRONG)?;
            let equals = record.iter().position(|byte| *byte == b'=').ok_or(WRONG)?;
            let (key, value) = record.split_at(equals);
            if key.is_empty() || key.contains(&0) {
                return Err(WRONG);
            }
            records.push((key.to_vec(), value.get(1..).unwrap_or_default().to_vec()));
            rest = rest.get(length..).ok_or(WRONG)?;
        }
        Ok(Self { records })
    }

    /// The last value of a key. An empty one is none.
    fn value(&self, key: &[u8]) -> Option<&[u8]> {
        let mut records = self.records.iter().rev();
        let (_, value) = records.find(|(other, _)| other == key)?;
        Some(value.as_slice()).filter(|value| !value.is_empty())
    }

    fn number(&self, key: &[u8]) -> Result<Option<u64>, Error> {
        // Go reads signed numbers, and refuses negative ones later.
        self.value(key)
            .map(|value| decimal::<u64>(value).filter(|number| i64::try_from(*number).is_ok()))
            .map(|number| number.ok_or(WRONG))
            .transpose()
    }

    /// Replaces what the header of the entry itself states.
    pub(super) fn apply(&self, entry: &mut Entry) -> Result<(), Error> {
        if let Some(name) = self.value(b"path") {
            entry.name = bounded(name);
        }
        if let Some(link) = self.value(b"linkpath") {
            entry.link = bounded(link);
        }
        if let Some(user) = self.number(b"uid")? {
            entry.user = user;
        }
        if let Some(group) = self.number(b"gid")? {
            entry.group = group;
        }
        if let Some(size) = self.number(b"size")? {
            entry.size = size;
        }
        if let Some(value) = self.value(b"mtime") {
            entry.time = time(value).ok_or(WRONG)?;
        }
        Ok(())
    }

    /// The form in which the map of a sparse file is stored; `None` if the file is not sparse.
    pub(super) fn sparse(&self) -> Result<Option<Form>, Error> {
        let major = self.value(b"GNU.sparse.major").unwrap_or_default();
        let minor = self.value(b"GNU.sparse.minor").unwrap_or_default();
        match (major, minor) {
            (b"0", b"0" | b"1") => Ok(Some(Form::InRecords)),
            (b"1", b"0") => Ok(Some(Form::InContent)),
            (b"", b"") if self.value(b"GNU.sparse.map").is_some() => Ok(Some(Form::InRecords)),
            (b"", b"") if self.value(b"GNU.sparse.offset").is_some() => Ok(Some(Form::InRecords)),
            (b"", b"") => Ok(None),
            _ => Err(Error::Archive("a sparse file has an unknown form")),
        }
    }

    /// Replaces the name of a sparse file by its own, and its size in the archive by the size with holes.
    pub(super) fn apply_sparse(&self, entry: &mut Entry) -> Result<(), Error> {
        if let Some(name) = self.value(b"GNU.sparse.name") {
            entry.name = bounded(name);
        }
        let size = match self.number(b"GNU.sparse.size")? {
            None => self.number(b"GNU.sparse.realsize")?,
            size => size,
        };
        entry.size = size.unwrap_or(entry.size);
        Ok(())
    }

    /// The map of a sparse file of form 0.0, a record for each number, or 0.1, one record.
    pub(super) fn sparse_map(&self) -> Result<Vec<Segment>, Error> {
        let mut numbers = Vec::new();
        if let Some(map) = self.value(b"GNU.sparse.map") {
            numbers.extend(map.split(|byte| *byte == b','));
        } else {
            let keys: [&[u8]; 2] = [b"GNU.sparse.offset", b"GNU.sparse.numbytes"];
            let mut is_offset = true;
            for (key, value) in &self.records {
                if !keys.contains(&key.as_slice()) {
                    continue;
                }
                // Offset and length take turns.
                if (key == keys[0]) != is_offset {
                    return Err(WRONG);
                }
                is_offset = !is_offset;
                numbers.push(value);
            }
        }
        let numbers = numbers
            .into_iter()
            .map(|number| decimal(number).ok_or(WRONG))
            .collect::<Result<Vec<_>, _>>()?;
        let segments = sparse::segments(&numbers)?;
        match self.number(b"GNU.sparse.numblocks")? {
            Some(count) if count != segments.len() as u64 => Err(WRONG),
            _ => Ok(segments),
        }
    }

    /// The extended attributes.
    pub(super) fn into_attributes(self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let records = self.records.into_iter();
        records
            .filter_map(|(key, value)| Some((key.strip_prefix(ATTRIBUTE)?.to_vec(), value)))
            .collect()
    }
}

/// Seconds with a fraction, of which nine digits count.
fn time(text: &[u8]) -> Option<Time> {
    let (is_negative, text) = match text.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut parts = text.splitn(2, |byte| *byte == b'.');
    let seconds: i64 = decimal(parts.next()?)?;
    let fraction = parts.next().unwrap_or_default();
    fraction.iter().all(u8::is_ascii_digit).then_some(())?;
    let digits = fraction.iter().chain([b'0'; 9].iter()).take(9);
    let nanoseconds = digits.fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
    Some(match (is_negative, nanoseconds) {
        (false, _) => Time {
            seconds,
            nanoseconds,
        },
        (true, 0) => Time {
            seconds: -seconds,
            nanoseconds,
        },
        // The nanoseconds count forwards.
        (true, _) => Time {
            seconds: -seconds - 1,
            nanoseconds: 1_000_000_000 - nanoseconds,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_nanoseconds_and_may_be_before_1970() {
        for (text, expected) in [
            ("0", Some((0, 0))),
            ("12.5", Some((12, 500_000_000))),
            ("12.", Some((12, 0))),
            ("12.0000000019", Some((12, 1))),
            ("-1", Some((-1, 0))),
            ("-1.25", Some((-2, 750_000_000))),
            ("", None),
            ("-", None),
            ("1.x", None),
            ("+1", None),
            ("1e3", None),
            ("9223372036854775808", None),
        ] {
            let expected = expected.map(|(seconds, nanoseconds)| Time {
                seconds,
                nanoseconds,
            });
            let parsed = if text.is_empty() {
                None
            } else {
                time(text.as_bytes())
            };
            assert_eq!(parsed, expected, "{text}");
        }
    }

    #[test]
    fn records_are_counted_by_their_length() {
        let parse = |text: &str| Records::parse(text.as_bytes());
        let records = parse("12 path=a=b\n16 path=later\nx\n").unwrap();
        assert_eq!(records.value(b"path"), Some(&b"later\nx"[..]));
        for wrong in [
            "12 path=a=b",
            "8 path=a\n",
            "99 path=a\n",
            "path=a\n",
            "3 \n",
            "4 =\n",
            "-1 a=b\n",
            "0 a=b\n",
            "6 a\0=\n",
        ] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
