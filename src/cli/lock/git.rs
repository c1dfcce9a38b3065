//! The lock file as a commit of a git repository has it. git reads objects alone: no hook, filter or pager of the
//! repository runs.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

use super::super::Error;
use super::super::diff::{DiffError, GitMessage};
use super::error::LockError;
use hocker::lock::{self, Lock, MAX_LOCK_SIZE};
use hocker::output::parent;
use hocker::printable::Printable;

/// Returns the lock of a commit. It is empty if the commit does not have the file.
pub(super) async fn lock_at(path: &Path, revision: &str) -> Result<Lock, Error> {
    check(revision)?;
    // git records the link, not the file that it leads to.
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let repository = Repository {
        directory: parent(&real),
        revision,
    };
    let name = real.file_name().unwrap_or_default();
    let commit = format!("{revision}^{{commit}}");
    let verify = ["rev-parse", "--verify", "--end-of-options", &commit].map(OsStr::new);
    let commit = repository.run(&verify, 1 << 10).await?;
    let commit = String::from_utf8_lossy(&commit).trim().to_owned();
    let tree = ["ls-tree", "-z", &commit, "--"].map(OsStr::new);
    let entries = repository
        .run(&[&tree[..], &[name]].concat(), 1 << 16)
        .await?;
    let entries = String::from_utf8_lossy(&entries);
    // MODE TYPE OBJECT, a tab and the name.
    let entry = entries.split('\0').find(|entry| !entry.is_empty());
    let Some((fields, _)) = entry.and_then(|entry| entry.split_once('\t')) else {
        return Ok(Lock::default());
    };
    let fields: Vec<_> = fields.split(' ').collect();
    let object = match fields[..] {
        [mode, "blob", object] if mode.starts_with("100") => object,
        _ => {
            let message = "the commit has something else than a regular file there";
            return Err(repository.failed(Printable::new(message)));
        }
    };
    let blob = ["cat-file", "blob", object].map(OsStr::new);
    let text = repository.run(&blob, MAX_LOCK_SIZE as u64 + 1).await?;
    lock::parse(&text).map_err(|source| {
        LockError::Parse {
            path: format!("{}:{}", Printable::new(revision), path.display()).into(),
            source,
        }
        .into()
    })
}

/// Fails if the name of a commit could be read as an option or as the path of a file.
fn check(revision: &str) -> Result<(), Error> {
    let is_strange = |c: char| c.is_control() || c == ':';
    if revision.is_empty() || revision.starts_with('-') || revision.contains(is_strange) {
        return Err(DiffError::Revision(Printable::new(revision)).into());
    }
    Ok(())
}

struct Repository<'a> {
    directory: &'a Path,
    revision: &'a str,
}

impl Repository<'_> {
    /// Runs git, and returns at most `limit` bytes of its output.
    async fn run(&self, arguments: &[&OsStr], limit: u64) -> Result<Vec<u8>, Error> {
        let mut command = Command::new("git");
        command
            .arg("--no-pager")
            .arg("-C")
            .arg(self.directory)
            .args(["-c", "core.fsmonitor=false"])
            .args(arguments)
            // An object that a partial clone lacks is not fetched: this command uses no network by itself.
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().map_err(DiffError::Git)?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let (output, errors) = tokio::join!(read(stdout, limit), read(stderr, 1 << 16));
        let (output, errors) = (output?, errors?);
        let status = child.wait().await.map_err(DiffError::Git)?;
        if status.success() {
            return Ok(output);
        }
        let errors = String::from_utf8_lossy(&errors);
        let last = errors.lines().rev().find(|line| !line.trim().is_empty());
        Err(self.failed(Printable::new(
            last.unwrap_or("git fails without a message"),
        )))
    }

    fn failed(&self, message: Printable) -> Error {
        DiffError::GitFailed {
            revision: Printable::new(self.revision),
            source: GitMessage(message),
        }
        .into()
    }
}

/// Reads an output to its end, and keeps at most `limit` bytes.
async fn read(
    output: Option<impl tokio::io::AsyncRead + Unpin>,
    limit: u64,
) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    if let Some(output) = output {
        let mut limited = output.take(limit);
        limited
            .read_to_end(&mut bytes)
            .await
            .map_err(DiffError::Git)?;
        let mut rest = limited.into_inner();
        tokio::io::copy(&mut rest, &mut tokio::io::sink())
            .await
            .map_err(DiffError::Git)?;
    }
    Ok(bytes)
}
