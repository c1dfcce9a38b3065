//! Servers: started with a log, awaited until they answer, ended by their process id.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// No server takes longer to start or to end.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

/// A process in the background. It is asked to end, and waited for, when it is dropped.
pub(crate) struct Server {
    child: Child,
    log: PathBuf,
}

impl Server {
    /// Starts it with both outputs in `log`, and waits until `ready`.
    #[track_caller]
    pub(crate) fn start(command: &mut Command, log: &Path, ready: impl Fn() -> bool) -> Self {
        let file = File::create(log).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap_or_else(|error| {
                panic!(
                    "cannot start {}: {error}; scripts/test installs what this ring needs",
                    command.get_program().display()
                )
            });
        let mut server = Self {
            child,
            log: log.to_owned(),
        };
        wait_until(|| {
            if let Some(status) = server.child.try_wait().unwrap() {
                panic!("{command:?} ended with {status}\n{}", server.log());
            }
            ready()
        })
        .unwrap_or_else(|()| panic!("{command:?} is not ready\n{}", server.log()));
        server
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as `kill -9` does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// What it has said so far.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap()).into_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        if wait_until(|| !matches!(self.child.try_wait(), Ok(None))).is_err() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Waits until something holds, within bounds.
pub(crate) fn wait_until(holds: impl FnMut() -> bool) -> Result<(), ()> {
    wait_at_most(PATIENCE, holds)
}

/// Waits until this holds, not longer than that.
pub(crate) fn wait_at_most(limit: Duration, mut holds: impl FnMut() -> bool) -> Result<(), ()> {
    let start = Instant::now();
    while !holds() {
        if start.elapsed() > limit {
            return Err(());
        }
        thread::sleep(PAUSE);
    }
    Ok(())
}

/// A port of loopback where nobody listens.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
