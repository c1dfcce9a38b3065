//! Standard output: data byte by byte, and tables line by line.

use std::io::{self, IsTerminal as _, Write as _};

use super::Error;
use hocker::printable::Printable;

/// Writes all of `bytes`.
pub(super) fn write(bytes: &[u8]) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(bytes)
        .and_then(|()| stdout.flush())
        .map_err(Error::Stdout)
}

/// Writes lines.
pub(super) fn lines(lines: &[Printable]) -> Result<(), Error> {
    let lines = lines.iter().map(|line| format!("{line}\n"));
    write(lines.collect::<String>().as_bytes())
}

/// Writes a document byte for byte. At a terminal, it adds a final newline.
pub(super) fn write_document(bytes: &[u8]) -> Result<(), Error> {
    write(bytes)?;
    if io::stdout().is_terminal() && !bytes.ends_with(b"\n") {
        write(b"\n")?;
    }
    Ok(())
}
