//! Deterministic tar.
use std::fs::File;
use std::io::{self, Write};
/// tmp
pub fn append_bytes(output: &mut impl Write, name: &str, bytes: &[u8]) -> io::Result<()> {
    let _ = (output, name, bytes);
    Ok(())
}
/// tmp
pub fn append_file(
    output: &mut impl Write,
    name: &str,
    file: &mut File,
    size: u64,
) -> io::Result<()> {
    let _ = (output, name, file, size);
    Ok(())
}
/// tmp
pub fn finish(output: &mut impl Write) -> io::Result<()> {
    let _ = output;
    Ok(())
}
