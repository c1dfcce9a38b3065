//! Running the executable with nothing of the machine's environment: no credentials, no proxies, an empty HOME.

use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// No run takes longer, or the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// The executable that cargo built for this test run.
pub(crate) fn executable() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_hocker"))
}

/// One run that is being prepared.
pub(crate) struct Run {
    command: Command,
    input: Option<Vec<u8>>,
    home: TempDir,
}

/// `hocker ARGUMENT…`
pub(crate) fn hocker<I: AsRef<OsStr>>(arguments: impl IntoIterator<Item = I>) -> Run {
    Run::of(executable(), tempfile::tempdir().unwrap()).arguments(arguments)
}

/// The same executable called by a classic name, through a symbolic link as packages make them.
pub(crate) fn classic<I: AsRef<OsStr>>(name: &str, arguments: impl IntoIterator<Item = I>) -> Run {
    let home = tempfile::tempdir().unwrap();
    let program = home.path().join(name);
    std::os::unix::fs::symlink(executable(), &program).unwrap();
    Run::of(&program, home).arguments(arguments)
}

impl Run {
    fn of(program: &Path, home: TempDir) -> Self {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("HOME", home.path())
            // Without it the credentials of whoever is logged in on this machine are looked at.
            .env("XDG_RUNTIME_DIR", home.path())
            .env("HOCKER_RETRY_DELAY", "0.01")
            // No test asks GitHub.
            .env("GITHUB_API_URL", "http://127.0.0.1:1")
            .current_dir(home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self {
            command,
            input: None,
            home,
        }
    }

    /// Adds arguments.
    pub(crate) fn arguments<I: AsRef<OsStr>>(
        mut self,
        arguments: impl IntoIterator<Item = I>,
    ) -> Self {
        self.command.args(arguments);
        self
    }

    /// Sets an environment variable.
    pub(crate) fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.command.env(name, value.into());
        self
    }

    /// Sets the working directory.
    pub(crate) fn in_directory(mut self, directory: &Path) -> Self {
        self.command.current_dir(directory);
        self
    }

    /// What standard input says.
    pub(crate) fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = Some(input.into());
        self.command.stdin(Stdio::piped());
        self
    }

    /// Where standard input comes from.
    pub(crate) fn stdin_from(mut self, stdin: impl Into<Stdio>) -> Self {
        self.command.stdin(stdin);
        self
    }

    /// Where standard output goes, if it is not to be looked at.
    pub(crate) fn stdout_to(mut self, stdout: impl Into<Stdio>) -> Self {
        self.command.stdout(stdout);
        self
    }

    /// Runs it to its end.
    pub(crate) fn run(self) -> Outcome {
        self.start().finish()
    }

    /// Starts it.
    pub(crate) fn start(mut self) -> Running {
        let mut child = self.command.spawn().unwrap_or_else(|error| {
            panic!(
                "cannot start {}: {error}",
                self.command.get_program().display()
            );
        });
        if let (Some(input), Some(mut stdin)) = (self.input, child.stdin.take()) {
            // The program may end without reading it all; what it did then is for the test to see.
            thread::spawn(move || stdin.write_all(&input));
        }
        Running {
            child: Some(child),
            said: Vec::new(),
            home: self.home,
        }
    }
}

/// One run under way. It is killed if it is dropped before its end.
pub(crate) struct Running {
    child: Option<Child>,
    /// What was read of its standard error already.
    said: Vec<u8>,
    home: TempDir,
}

impl Running {
    fn pid(&self) -> Pid {
        Pid::from_child(self.child.as_ref().unwrap())
    }

    /// Waits until it handles `Ctrl-C` itself. It installs the handler of SIGHUP last, so that the handlers of the other
    /// signals have a receiver when the kernel reports that one. A signal before that can be lost: tokio adds the
    /// receiver after the handler.
    pub(crate) fn wait_until_it_listens(&self) {
        let path = format!("/proc/{}/status", self.pid().as_raw_nonzero());
        let deadline = std::time::Instant::now() + PATIENCE;
        loop {
            let status = std::fs::read_to_string(&path).unwrap();
            let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
            let caught = u64::from_str_radix(caught.unwrap().trim(), 16).unwrap();
            if caught & 1 << (Signal::HUP.as_raw() - 1) != 0 {
                return;
            }
            assert!(std::time::Instant::now() < deadline, "it never listened");
            thread::yield_now();
        }
    }

    /// Waits until its standard error contains this.
    pub(crate) fn wait_until_it_says(&mut self, text: &str) {
        let mut pipe = self.child.as_mut().unwrap().stderr.take().unwrap();
        let mut said = std::mem::take(&mut self.said);
        let (sender, receiver) = mpsc::channel();
        let wanted = text.to_owned();
        thread::spawn(move || {
            let mut piece = [0; 4096];
            while !String::from_utf8_lossy(&said).contains(&wanted) {
                match pipe.read(&mut piece) {
                    Ok(count) if count > 0 => said.extend_from_slice(&piece[..count]),
                    _ => break,
                }
            }
            sender.send((pipe, said))
        });
        let Ok((pipe, said)) = receiver.recv_timeout(PATIENCE) else {
            panic!("it did not say {text:?} within {PATIENCE:?}");
        };
        let all = String::from_utf8_lossy(&said);
        assert!(all.contains(text), "it ended without {text:?}: {all}");
        self.child.as_mut().unwrap().stderr = Some(pipe);
        self.said = said;
    }

    /// Waits for its first line on standard output.
    pub(crate) fn first_line(&mut self) -> String {
        let stdout = self.child.as_mut().unwrap().stdout.as_mut().unwrap();
        let mut line = Vec::new();
        // Byte by byte: what follows is for whoever reads next.
        let mut byte = [0];
        while stdout.read(&mut byte).unwrap() > 0 && byte != *b"\n" {
            line.extend(byte);
        }
        String::from_utf8(line).unwrap()
    }

    /// The most memory that it has had at a time, in KiB.
    pub(crate) fn peak_memory(&self) -> u64 {
        let path = format!("/proc/{}/status", self.pid().as_raw_nonzero());
        let status = std::fs::read_to_string(path).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak.unwrap()
            .trim()
            .trim_end_matches(" kB")
            .parse()
            .unwrap()
    }

    /// Sends it what `kill` sends.
    pub(crate) fn terminate(&self) {
        kill_process(self.pid(), Signal::TERM).unwrap();
    }

    /// Sends it what `Ctrl-C` sends.
    pub(crate) fn interrupt(&self) {
        kill_process(self.pid(), Signal::INT).unwrap();
    }

    /// Ends it as `kill -9` does.
    pub(crate) fn kill(mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Waits for its end.
    pub(crate) fn finish(mut self) -> Outcome {
        let pid = self.pid();
        let mut child = self.child.take().unwrap();
        let stdout = collect(child.stdout.take());
        let stderr = collect(child.stderr.take());
        let (sender, receiver) = mpsc::channel();
        let waiter = thread::spawn(move || sender.send(child.wait()));
        let Ok(status) = receiver.recv_timeout(PATIENCE) else {
            let _ = kill_process(pid, Signal::KILL);
            let _ = waiter.join();
            panic!(
                "it did not end within {PATIENCE:?}; standard error: {}",
                String::from_utf8_lossy(&stderr.join().unwrap())
            );
        };
        let status = status.unwrap();
        let mut said = std::mem::take(&mut self.said);
        said.extend(stderr.join().unwrap());
        let outcome = Outcome {
            code: status.code(),
            signal: status.signal(),
            stdout: stdout.join().unwrap(),
            stderr: String::from_utf8_lossy(&said).into_owned(),
        };
        // Whatever a test is about, no run may ever panic.
        assert!(
            !outcome.stderr.contains("panicked at") && outcome.code != Some(101),
            "it panicked: {outcome}"
        );
        outcome
    }

    /// The home directory of the run.
    pub(crate) fn home(&self) -> PathBuf {
        self.home.path().to_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        bytes
    })
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The exit code, or none if a signal ended it.
    pub(crate) code: Option<i32>,
    /// The signal that ended it.
    pub(crate) signal: Option<i32>,
    /// Standard output.
    pub(crate) stdout: Vec<u8>,
    /// Standard error.
    pub(crate) stderr: String,
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "exit code {:?}, signal {:?}\n--- standard output\n{}\n--- standard error\n{}",
            self.code,
            self.signal,
            String::from_utf8_lossy(&self.stdout),
            self.stderr
        )
    }
}

impl Outcome {
    /// Demands exit code 0.
    #[track_caller]
    pub(crate) fn done(self) -> Self {
        assert_eq!(self.code, Some(0), "{self}");
        self
    }

    /// Demands this exit code and an error as people get it: what was attempted on which object, first.
    #[track_caller]
    pub(crate) fn failed(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        assert!(
            self.stderr
                .lines()
                .any(|line| line.starts_with("hocker: ") || line.starts_with("error: "))
                || code == 2 && self.stderr.contains("Usage: "),
            "no error is told: {self}"
        );
        self
    }

    /// Demands that standard error contains this.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "no {text:?} in: {self}");
        self
    }

    /// Demands that neither output contains this.
    #[track_caller]
    pub(crate) fn never_says(self, secret: &str) -> Self {
        assert!(
            !self.stderr.contains(secret) && !self.text().contains(secret),
            "{secret:?} is in: {self}"
        );
        self
    }

    /// Standard output as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}
