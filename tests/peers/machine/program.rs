//! Programs that run to their end.

use std::fmt::Write as _;
use std::process::{Command, Output};

/// Runs it; anything but success is a failure of the test.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> Vec<u8> {
    let output = output(command);
    assert!(
        output.status.success(),
        "{command:?} failed\n{}",
        told(&output)
    );
    output.stdout
}

/// Runs it; a program that is not there is a failure of the test.
#[track_caller]
pub(crate) fn output(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| {
        panic!(
            "cannot start {}: {error}; scripts/test installs what this ring needs",
            command.get_program().display()
        )
    })
}

/// Both outputs, for messages.
pub(crate) fn told(output: &Output) -> String {
    let mut text = String::new();
    for stream in [&output.stdout, &output.stderr] {
        writeln!(text, "{}", String::from_utf8_lossy(stream)).unwrap();
    }
    text
}

/// The program's standard output as one trimmed text.
#[track_caller]
pub(crate) fn text(command: &mut Command) -> String {
    String::from_utf8(run(command)).unwrap().trim().to_owned()
}
