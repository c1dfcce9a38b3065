//! Escaped characters in the path of a request.
//!
//! Source: RFC 3986, section 2.1.

use std::borrow::Cow;

/// Returns a path without escapes. Returns `None` for a wrong escape, for a path that is not UTF-8, and for an escaped
/// slash: a proxy before this server may take it for a part of a name.
pub(super) fn decoded(path: &str) -> Option<Cow<'_, str>> {
    if !path.contains('%') {
        return Some(Cow::Borrowed(path));
    }
    let mut parts = path.split('%');
    let mut bytes: Vec<u8> = parts.next()?.into();
    for part in parts {
        let (code, rest) = part.split_at_checked(2)?;
        if !code.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let byte = u8::from_str_radix(code, 16).ok()?;
        if byte == b'/' {
            return None;
        }
        bytes.push(byte);
        bytes.extend(rest.bytes());
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded_once() {
        for (path, expected) in [
            ("/v2/a/manifests/1", Some("/v2/a/manifests/1")),
            ("/v2/%61/blobs/sha256%3a00", Some("/v2/a/blobs/sha256:00")),
            ("/v2/a%2Fb/manifests/1", None),
            ("%2565", Some("%65")),
            ("%c3%bc", Some("\u{fc}")),
            ("%ff", None),
            ("%zz", None),
            ("%+1", None),
            ("%6", None),
            ("%\u{fc}", None),
        ] {
            assert_eq!(decoded(path).as_deref(), expected, "{path}");
        }
    }
}
