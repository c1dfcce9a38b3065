//! Standard error: lines for people. They are printable by their type, so that nothing foreign reaches a terminal, a
//! journal or a build log raw. Only bars and Nix's own messages are written elsewhere, in `progress` and `builder`.

use std::io::Write as _;

use hocker::printable::Printable;

/// Writes lines in one piece, so that those of others stand before or after them. Standard error may be closed; there
/// is no other place to say so.
pub(super) fn lines(lines: &[Printable]) {
    let mut text = String::new();
    for line in lines {
        text.push_str(line.as_str());
        text.push('\n');
    }
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}
