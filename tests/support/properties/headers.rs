//! Header fields of registries.

use hocker::auth::challenge as challenges;
use hocker::http::content_range as ranges;

use super::escaped;

/// Challenges are no more than the header says, and a quoted value is what was quoted.
pub fn challenge(header: &str) {
    let read = challenges::parse(header);
    assert!(read.len() <= header.len());
    for challenge in read {
        assert!(!challenge.scheme.is_empty());
        assert!(!challenge.scheme.contains([' ', ',', '=', '"']));
        assert_ne!(challenge.parameter("realm"), Some(""));
    }
    let quoted = format!("Bearer realm=\"{}\",service=r", escaped(header));
    match challenges::parse(&quoted).as_slice() {
        [challenge] => {
            let realm = Some(header).filter(|realm| !realm.is_empty());
            assert_eq!(challenge.parameter("realm"), realm);
            assert_eq!(challenge.parameter("service"), Some("r"));
        }
        other => assert_eq!(other.len(), 1, "{quoted}"),
    }
}

/// A range has an end that is not before its beginning, and the whole is longer.
pub fn content_range(text: &str) {
    let Some(range) = ranges::parse(text) else {
        return;
    };
    assert!(range.first <= range.last);
    assert!(range.complete.is_none_or(|complete| range.last < complete));
    let complete = range.complete.map_or("*".to_owned(), |n| n.to_string());
    let printed = format!("bytes {}-{}/{complete}", range.first, range.last);
    assert_eq!(ranges::parse(&printed), Some(range));
}
