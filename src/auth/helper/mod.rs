//! Credential helpers: programs named `docker-credential-NAME` that store secrets for docker. `get` reads the name of a
//! server from standard input and writes JSON to standard output, or a message if it fails. The time and the output of
//! a helper are limited, and its output is not quoted if it could contain a secret.
//!
//! Sources: github.com/docker/docker-credential-helpers, README and `client`; docker/cli 28, `native_store.go`.

mod output;

use std::ffi::OsString;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

use self::output::HelperOutput;
use super::Proof;
use super::docker_config::docker_key;
use crate::name::RegistryName;
use crate::printable::Printable;

/// The maximum size of a helper's output: 64 KiB.
const LIMIT: u64 = 64 << 10;

/// How to run helpers.
#[derive(Clone, Debug)]
pub struct Helpers {
    /// The value of `PATH` for helpers, instead of that of this process.
    pub path: Option<OsString>,
    /// The time limit for a helper.
    pub timeout: Duration,
}

/// Returns the name of the program. `name` must have only letters, digits, `-`, `_` and `.`, so that it cannot name
/// another directory.
fn program(name: &str) -> Result<String, Error> {
    let is_plain = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    if is_plain {
        Ok(format!("docker-credential-{name}"))
    } else {
        Err(Error::Name)
    }
}

impl Helpers {
    /// Runs the helper `name`, and returns its program and its credentials for a registry. Dropping the future kills
    /// the program.
    pub async fn ask(
        &self,
        name: &str,
        registry: &RegistryName,
    ) -> Result<Option<(String, Proof)>, Error> {
        let program = program(name)?;
        let proof = self.run(&program, registry).await?;
        Ok(proof.map(|proof| (program, proof)))
    }

    async fn run(&self, program: &str, registry: &RegistryName) -> Result<Option<Proof>, Error> {
        let mut command = Command::new(program);
        if let Some(path) = &self.path {
            command.env("PATH", path);
        }
        let child = command
            .arg("get")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| match source.kind() {
                io::ErrorKind::NotFound => Error::NotInstalled {
                    program: program.to_owned(),
                },
                _ => Error::Run {
                    program: program.to_owned(),
                    source,
                },
            })?;
        let output =
            match tokio::time::timeout(self.timeout, exchange(child, docker_key(registry))).await {
                Ok(Ok(Some(output))) => output,
                Ok(Ok(None)) => {
                    return Err(Error::TooLong {
                        program: program.to_owned(),
                    });
                }
                Ok(Err(source)) => {
                    return Err(Error::Run {
                        program: program.to_owned(),
                        source,
                    });
                }
                Err(_) => {
                    return Err(Error::Timeout {
                        program: program.to_owned(),
                        seconds: self.timeout.as_secs_f32(),
                    });
                }
            };
        output.proof(program)
    }
}

/// Writes the server's name to a helper and reads its output. Returns `None` if the output exceeds the limit.
async fn exchange(mut child: Child, server: &str) -> io::Result<Option<HelperOutput>> {
    let stdin = child.stdin.take();
    let write = async {
        if let Some(mut stdin) = stdin {
            // If the helper does not read its input, its output shows the failure.
            let _ = stdin.write_all(server.as_bytes()).await;
        }
    };
    let (stdout, stderr) = (
        read_limited(child.stdout.take()),
        read_limited(child.stderr.take()),
    );
    let ((), stdout, stderr) = tokio::join!(write, stdout, stderr);
    let (stdout, stderr) = (stdout?, stderr?);
    if stdout.len() as u64 > LIMIT || stderr.len() as u64 > LIMIT {
        return Ok(None);
    }
    Ok(Some(HelperOutput {
        status: child.wait().await?,
        stdout,
        stderr,
    }))
}

/// Reads up to one byte more than the limit.
async fn read_limited(pipe: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(LIMIT + 1).read_to_end(&mut text).await?;
    }
    Ok(text)
}

/// A failure of a helper.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The name of the helper contains other characters than letters, digits, `-`, `_` and `.`.
    #[error(
        "the name of the credential helper contains characters other than letters, digits, `-`, `_` and `.`"
    )]
    Name,
    /// The program does not exist.
    #[error("the credential helper {program} is not installed")]
    NotInstalled {
        /// The program.
        program: String,
    },
    /// The program cannot be run.
    #[error("cannot run the credential helper {program}")]
    Run {
        /// The program.
        program: String,
        /// The error of the operating system.
        #[source]
        source: io::Error,
    },
    /// The program failed.
    #[error("the credential helper {program} failed ({status}){}", message_suffix(message.as_ref()))]
    Failed {
        /// The program.
        program: String,
        /// The exit status.
        status: ExitStatus,
        /// The first line of its output, without secrets.
        message: Option<Printable>,
    },
    /// The output of the program is not a user name and secret in JSON.
    #[error("the output of the credential helper {program} is not a user name and secret in JSON")]
    InvalidOutput {
        /// The program.
        program: String,
    },
    /// The output of the program exceeds 64 KiB.
    #[error("the output of the credential helper {program} is larger than 64 KiB")]
    TooLong {
        /// The program.
        program: String,
    },
    /// The program did not finish within the time limit.
    #[error("the credential helper {program} did not finish within {seconds} s")]
    Timeout {
        /// The program.
        program: String,
        /// The time limit in seconds.
        seconds: f32,
    },
}

fn message_suffix(message: Option<&Printable>) -> String {
    message
        .map(|message| format!(": {message}"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;
    use std::io::Write as _;
    use std::path::Path;

    /// Installs `docker-credential-fake`. Another process writes the file: if this process had it open for writing, a
    /// parallel test could start a process that inherits it, and then the file could not be executed.
    fn install(directory: &Path, script: &str) {
        let mut shell = std::process::Command::new("/bin/sh")
            .args(["-c", "cat > \"$0\" && chmod 755 \"$0\""])
            .arg(directory.join("docker-credential-fake"))
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        write!(shell.stdin.take().unwrap(), "#!/bin/sh\n{script}\n").unwrap();
        assert!(shell.wait().unwrap().success());
    }

    fn ask_within(
        timeout: Duration,
        script: Option<&str>,
        registry: &str,
    ) -> Result<Option<Proof>, Error> {
        let directory = tempfile::tempdir().unwrap();
        let mut path = directory.path().as_os_str().to_owned();
        path.push(":/usr/bin:/bin");
        if let Some(script) = script {
            install(directory.path(), script);
        }
        let helpers = Helpers {
            path: Some(path),
            timeout,
        };
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(helpers.ask("fake", &registry.parse().unwrap()))
            .map(|found| found.map(|(_, proof)| proof))
    }

    fn ask(script: &str) -> Result<Option<Proof>, Error> {
        ask_within(Duration::from_secs(30), Some(script), "r.example:5000")
    }

    fn basic(username: &str, password: &str) -> Proof {
        Proof::Basic {
            username: username.to_owned(),
            password: Secret::new(password),
        }
    }

    #[test]
    fn reads_what_helpers_answer() {
        for (script, expected) in [
            (
                r#"echo '{"ServerURL":"r.example","Username":"ann","Secret":"x=\"y"}'"#,
                Some(basic("ann", "x=\"y")),
            ),
            (
                r#"echo '{"Username":"<token>","Secret":"i"}'; echo noise >&2"#,
                Some(Proof::Identity(Secret::new("i"))),
            ),
            (
                r#"echo '{"username":"ann","SECRET":"x"} and more {'"#,
                Some(basic("ann", "x")),
            ),
            (r#"echo '{"Username":"ann"}'"#, None),
            (r#"echo '{"Username":"<token>","Secret":""}'"#, None),
            (r#"echo '{"Secret":"x"}'"#, Some(basic("", "x"))),
            (r#"echo '{"Username":"","Secret":""}'"#, None),
            (r#"echo '{"Username":null,"Secret":null}'"#, None),
            ("echo '{}'", None),
            (
                "echo credentials not found in native keychain; exit 1",
                None,
            ),
            // The helper does not have to read its input.
            (
                r#"exec 0<&-; echo '{"Username":"ann","Secret":"x"}'"#,
                Some(basic("ann", "x")),
            ),
        ] {
            assert_eq!(ask(script).unwrap(), expected, "{script}");
        }
    }

    #[test]
    fn gets_the_server_under_the_name_that_docker_uses() {
        let echo = r#"test "$1" = get && printf '{"Username":"ann","Secret":"%s"}' "$(cat)""#;
        for (registry, server) in [
            ("docker.io", "https://index.docker.io/v1/"),
            ("r.example:5000", "r.example:5000"),
        ] {
            let proof = ask_within(Duration::from_secs(30), Some(echo), registry);
            assert_eq!(proof.unwrap(), Some(basic("ann", server)));
        }
    }

    #[test]
    fn says_what_went_wrong_without_saying_a_secret() {
        for (script, expected) in [
            (
                "echo 'no keyring'; exit 3",
                "failed (exit status: 3): no keyring",
            ),
            (
                "echo 'on stderr' >&2; exit 1",
                "failed (exit status: 1): on stderr",
            ),
            ("printf 'a\\033[2Jb\\nhunter2'; exit 1", r"): a\u{1b}[2Jb"),
            (
                r#"echo '{"Secret":"hunter2"}'; exit 1"#,
                "failed (exit status: 1)",
            ),
            (
                "printf 'Secret: hunter2\n'; exit 1",
                "failed (exit status: 1): Secret…",
            ),
            (
                "echo 'cannot renew \"token\" = hunter2' >&2; exit 1",
                "failed (exit status: 1): cannot renew \"token…",
            ),
            (
                "echo 'cannot reach https://ann:hunter2@vault.example/x?t=hunter2'; exit 1",
                "cannot reach https://…@vault.example/x?…",
            ),
            (
                "echo 'pass not initialized: password store is empty'; exit 1",
                "pass not initialized: password store is empty",
            ),
            (
                "echo 'The name org.freedesktop.secrets was not provided'; exit 1",
                "The name org.freedesktop.secrets was not provided",
            ),
            ("exit 1", "failed (exit status: 1)"),
            ("kill -9 $$", "failed (signal: 9"),
            ("echo hunter2", "is not a user name and secret"),
            (
                r#"echo '{"Username":"ann","Secret":["hunter2"]}'"#,
                "is not a user name",
            ),
            ("true", "is not a user name"),
            ("exec cat /dev/zero", "larger than 64 KiB"),
            ("exec cat /dev/zero >&2", "larger than 64 KiB"),
        ] {
            let error = ask(script).unwrap_err();
            let text = error.to_string();
            assert!(text.contains(expected), "{script}: {text}");
            assert!(text.contains("docker-credential-fake"), "{script}: {text}");
            assert!(
                !format!("{text} {error:?}").contains("hunter2"),
                "{error:?}"
            );
        }
    }

    #[test]
    fn a_helper_that_hangs_is_given_up_and_killed() {
        let directory = tempfile::tempdir().unwrap();
        let fifo = directory.path().join("fifo");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status();
        assert!(made.unwrap().success(), "mkfifo is needed");
        // The helper has the pipe open for writing until it ends, and until then reading from the pipe does not end.
        let script = format!("exec 3<>'{0}' 4>'{0}' 3<&-; exec sleep 600", fifo.display());
        let error = ask_within(Duration::from_millis(200), Some(&script), "r.example").unwrap_err();
        assert!(matches!(error, Error::Timeout { .. }), "{error}");
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            // Opening for reading and writing never waits. Afterwards only the helper has the pipe open.
            let ends = std::fs::File::options().read(true).write(true).open(&fifo);
            let mut reading = std::fs::File::open(&fifo).unwrap();
            drop(ends);
            sender.send(io::Read::read(&mut reading, &mut [0])).unwrap();
        });
        let read = receiver.recv_timeout(Duration::from_secs(30));
        assert_eq!(read.expect("the helper lives on").unwrap(), 0);
    }

    #[test]
    fn a_helper_that_is_not_there_is_not_installed() {
        let error = ask_within(Duration::from_secs(30), None, "r.example").unwrap_err();
        assert!(matches!(error, Error::NotInstalled { .. }), "{error}");
    }

    #[test]
    fn names_that_are_no_plain_word_are_refused() {
        assert_eq!(program("ecr-login").unwrap(), "docker-credential-ecr-login");
        for name in ["", "../x", "/bin/sh", "a b", "a;b", "a\0b", "é"] {
            assert!(program(name).is_err(), "{name}");
        }
    }
}
