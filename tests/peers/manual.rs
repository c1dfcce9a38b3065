//! Completions load in the shells that they are for, and offer what there is; manual pages render without a warning.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::machine::program;
use crate::support::hocker::hocker;

/// The names that packages install.
pub(crate) const PROGRAMS: [&str; 6] = [
    "hocker",
    "hocker-manifest",
    "hocker-config",
    "hocker-layer",
    "hocker-image",
    "docker2nix",
];

/// A shell without anybody's configuration, in a directory that holds the script as `name`.
fn shell(shell: &str, program: &str, name: &str) -> (Command, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let script = hocker(["completions", shell, program]).run().done().stdout;
    fs::write(directory.path().join(name), script).unwrap();
    let mut command = Command::new(shell);
    command
        .env("HOME", directory.path())
        .env("XDG_CONFIG_HOME", directory.path())
        .env("XDG_DATA_HOME", directory.path())
        .env("TERM", "dumb")
        .current_dir(directory.path());
    (command, directory)
}

/// What a shell offers, one a line. A word about what it found wrong is a failure.
#[track_caller]
fn offered(mut command: Command) -> Vec<String> {
    let output = program::output(&mut command);
    let told = program::told(&output);
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{told}"
    );
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| line.split(['\t', ':']).next().unwrap().to_owned())
        .collect()
}

/// Commands are offered, those that are for people.
#[track_caller]
fn are_commands(offered: &[String]) {
    for (name, wanted) in [
        ("manifest", true),
        ("docker2nix", true),
        ("builder", false),
        ("composite", false),
        ("completions", false),
        ("man", false),
    ] {
        assert_eq!(
            offered.iter().any(|offer| offer == name),
            wanted,
            "{name}: {offered:?}"
        );
    }
}

/// What bash calls when `words` are typed and the last is to be completed.
fn bash(program: &str, words: &[&str]) -> Vec<String> {
    let (mut command, _directory) = shell("bash", program, "script");
    command.args(["--norc", "-c"]).arg(format!(
        "source ./script && [[ $(complete -p {program}) =~ -F\\ ([^ ]+) ]] && COMP_WORDS=({program} {words}) && \
         COMP_CWORD={count} && \"${{BASH_REMATCH[1]}}\" {program} \"${{COMP_WORDS[-1]}}\" \"${{COMP_WORDS[-2]}}\" && \
         (( ${{#COMPREPLY[@]}} )) && printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        words = words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" "),
        count = words.len(),
    ));
    offered(command)
}

#[test]
fn bash_completes() {
    are_commands(&bash("hocker", &[""]));
    assert_eq!(bash("hocker", &["image", "--form"]), ["--format"]);
    assert_eq!(bash("hocker", &["image", "--format", "oci-d"]), ["oci-dir"]);
    for program in &PROGRAMS[1..] {
        assert_eq!(bash(program, &["--regi"]), ["--registry"], "{program}");
    }
}

#[test]
fn fish_completes() {
    let fish = |program: &str, line: &str| {
        let (mut command, _directory) = shell("fish", program, "script");
        command.args([
            "--no-config",
            "-c",
            &format!("source ./script; and complete -C '{line}'"),
        ]);
        offered(command)
    };
    are_commands(&fish("hocker", "hocker "));
    // Newer ones offer what has the letters anywhere, too, after what begins with them.
    assert_eq!(fish("hocker", "hocker image --form")[0], "--format");
    for program in &PROGRAMS[1..] {
        assert_eq!(
            fish(program, &format!("{program} --regi")),
            ["--registry"],
            "{program}"
        );
    }
}

#[test]
fn zsh_finds_and_loads_the_functions() {
    for program in PROGRAMS {
        let (mut command, _directory) = shell("zsh", program, &format!("_{program}"));
        // There is no terminal to complete on: what would be offered there is printed.
        let offer = if program == "hocker" {
            "_describe() { print -rl -- ${(P)4} }; _hocker; _hocker_commands"
        } else {
            "print -r -- loaded"
        };
        command.args(["-f", "-c"]).arg(format!(
            "fpath=($PWD $fpath); autoload -Uz compinit && compinit -u -D && \
             [[ ${{_comps[{program}]}} == _{program} ]] && autoload +X _{program} && _arguments() {{ }} && {offer}"
        ));
        let offered = offered(command);
        if program == "hocker" {
            are_commands(&offered);
        } else {
            assert_eq!(offered, ["loaded"]);
        }
    }
}

#[test]
fn manual_pages_render_without_a_warning_and_are_the_same_each_time() {
    let directory = tempfile::tempdir().unwrap();
    let pages = directory.path().join("man1");
    hocker(["man".as_ref(), pages.as_os_str()]).run().done();
    let read = || -> Vec<(PathBuf, String)> {
        let mut files: Vec<_> = fs::read_dir(&pages)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
            .collect();
        files.sort();
        files
    };
    let files = read();
    hocker(["man".as_ref(), pages.as_os_str()]).run().done();
    assert_eq!(read(), files);

    assert!(files.len() > 6, "{files:?}");
    for (path, _) in &files {
        let mut man = Command::new("man");
        man.env("LC_ALL", "C.UTF-8").env("MANWIDTH", "100").args([
            "--warnings",
            "-E",
            "UTF-8",
            "-P",
            "cat",
            "-l",
        ]);
        let output = program::output(man.arg(path));
        let told = program::told(&output);
        assert!(
            output.status.success() && output.stderr.is_empty(),
            "{}: {told}",
            path.display()
        );
        for section in ["NAME", "SYNOPSIS", "EXIT STATUS", "EXAMPLES", "SEE ALSO"] {
            assert!(
                told.contains(&format!("\n{section}\n")),
                "{}: no {section}: {told}",
                path.display()
            );
        }
    }
    let names: Vec<_> = files
        .iter()
        .map(|(path, _)| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert!(names.contains(&"hocker".to_owned()) && names.contains(&"hocker-image".to_owned()));
    assert!(!names.contains(&"hocker-builder".to_owned()), "{names:?}");
}
