//! Standard error. Its lines have the type [`Printable`], so no control character from a server or a file reaches a
//! terminal, a journal or a build log. Only progress bars (`progress`) and Nix's progress messages (`builder`) are
//! written elsewhere.

use std::io::Write as _;

use hocker::printable::Printable;

/// Writes lines in one piece, so that other lines do not get between them. A failure is ignored: standard error is the
/// only place to report it.
pub(super) fn lines(lines: &[Printable]) {
    let mut text = String::new();
    for line in lines {
        text.push_str(line.as_str());
        text.push('\n');
    }
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}
