//! Leases: they keep what a load writes until a name of the image keeps it. Without a lease, containerd's garbage
//! collection could remove a part of an image before the image is complete.
//!
//! A lease ends with its load, also if that fails or is interrupted. The lease of a load that was killed is removed by
//! the next load, or expires after 24 hours. A load that runs holds the lock of a write with the same name as its lease,
//! so other loads see that it is in use.
//!
//! Source: containerd, `docs/garbage-collection.md`; the expiration is that of containerd's own clients.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::runtime::{Handle, RuntimeFlavor};

use super::client::{Containerd, SMALL, failed};
use super::content::{WriteStream, abort, incomplete_writes};
use super::error::Error;
use super::messages::{
    AddResource, CreateLease, Empty, Filters, Labels, Leases, Remove, Resource, WriteAction,
    WriteContent, Written,
};
use crate::http::grpc::Code;
use crate::oci::timestamp::Timestamp;

/// The label with the time after which containerd ignores the lease.
const EXPIRE: &str = "containerd.io/gc.expire";
/// The longest life of a lease.
const LIFE: Duration = Duration::from_secs(24 * 60 * 60);
/// The first part of the names of hocker's leases.
const PREFIX: &str = "hocker-load-";
/// The number of hexadecimal digits after it.
const DIGITS: usize = 32;
/// How long the drop of a lease waits for containerd.
const GRACE: Duration = Duration::from_millis(400);

const SERVICE: &str = "/containerd.services.leases.v1.Leases";

/// A lease. Its drop removes it.
pub(super) struct Lease {
    /// The connection, which names the lease in each call.
    pub(super) daemon: Containerd,
    id: String,
    /// Holds the lock. Absent after the end.
    guard: Option<WriteStream>,
}

impl Lease {
    /// Creates a lease.
    pub(super) async fn create(daemon: &Containerd) -> Result<Self, Error> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|_| Error::NoRandom)?;
        let id = name_of(random);
        // Before the lease exists, so that no other load takes it for one that was left.
        let guard = lock(daemon, &id).await?;
        let mut lease = Self {
            daemon: daemon.with_lease(&id)?,
            id,
            guard: Some(guard),
        };
        let request = CreateLease {
            id: lease.id.clone(),
            labels: Labels::from([(EXPIRE.to_owned(), expiration().to_string())]),
        };
        let method = format!("{SERVICE}/Create");
        let created = daemon
            .call::<Empty>("create a lease", &method, &request)
            .await;
        if let Err(error) = created {
            lease.guard = None;
            return Err(error);
        }
        Ok(lease)
    }

    /// Adds content or a snapshot that exists already.
    pub(super) async fn add(&self, kind: &str, id: &str) -> Result<(), Error> {
        let request = AddResource {
            id: self.id.clone(),
            resource: Some(Resource {
                id: id.to_owned(),
                kind: kind.to_owned(),
            }),
        };
        let method = format!("{SERVICE}/AddResource");
        let what = format!("keep {id}");
        let Empty {} = self.daemon.call(&what, &method, &request).await?;
        Ok(())
    }

    /// Removes the lease. With `collect`, containerd removes at once what nothing else keeps.
    pub(super) async fn end(mut self, collect: bool) -> Result<(), Error> {
        let guard = self.guard.take();
        end(&self.daemon, &self.id, guard, collect).await
    }
}

impl Drop for Lease {
    /// An interrupted load is dropped, and the program ends soon after. So this waits for containerd.
    fn drop(&mut self) {
        let Some(guard) = self.guard.take() else {
            return;
        };
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let (daemon, id) = (self.daemon.clone(), self.id.clone());
        let (done, is_done) = std::sync::mpsc::channel();
        runtime.spawn(async move {
            let _ = end(&daemon, &id, Some(guard), true).await;
            let _ = done.send(());
        });
        if runtime.runtime_flavor() == RuntimeFlavor::MultiThread {
            let _ = tokio::task::block_in_place(|| is_done.recv_timeout(GRACE));
        }
    }
}

/// Removes the leases and locks that killed loads left, and lets containerd collect what they kept.
pub(super) async fn remove_left(daemon: &Containerd) -> Result<(), Error> {
    let method = format!("{SERVICE}/List");
    let request = Filters::default();
    let Leases { leases } = daemon.call("list the leases", &method, &request).await?;
    let mut ids: BTreeSet<String> = leases.into_iter().map(|lease| lease.name).collect();
    // A load that was killed before it had its lease left the lock alone.
    ids.extend(incomplete_writes(daemon).await?);
    for id in ids.iter().filter(|id| is_of_load(id)) {
        match lock(daemon, id).await {
            Ok(guard) => end(daemon, id, Some(guard), true).await?,
            // A load that runs holds the lock.
            Err(error) if error.code() == Some(Code::Unavailable) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn end(
    daemon: &Containerd,
    id: &str,
    guard: Option<WriteStream>,
    collect: bool,
) -> Result<(), Error> {
    let method = format!("{SERVICE}/Delete");
    let request = Remove {
        name: id.to_owned(),
        sync: collect,
    };
    let removed = daemon
        .call::<Empty>("remove a lease", &method, &request)
        .await;
    if let Some((sender, mut answers)) = guard {
        drop(sender);
        // containerd closes its file before the end of the answers.
        while let Ok(Some(_)) = answers.next().await {}
    }
    abort(daemon, id).await?;
    match removed {
        Err(error) if error.code() != Some(Code::NotFound) => Err(error),
        _ => Ok(()),
    }
}

/// Opens a write with this name, which no other client can open as long as the stream exists.
async fn lock(daemon: &Containerd, id: &str) -> Result<WriteStream, Error> {
    let (sender, mut receiver) = daemon
        .channel()
        .open::<WriteContent, Written>(super::content::WRITE, SMALL);
    let request = WriteContent {
        action: WriteAction::Stat.into(),
        reference: id.to_owned(),
        ..WriteContent::default()
    };
    sender.send(&request).await;
    match receiver.next().await {
        Ok(_) => Ok((sender, receiver)),
        Err(error) => Err(failed("lock a lease", error)),
    }
}

/// Returns the name of the lease and the lock of a load.
fn name_of(random: [u8; 16]) -> String {
    format!("{PREFIX}{:0DIGITS$x}", u128::from_ne_bytes(random))
}

/// Returns whether a name is one that a load gives its lease. Leases of users stay, whatever their names begin with.
fn is_of_load(name: &str) -> bool {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let secret = name.strip_prefix(PREFIX);
    secret.is_some_and(|secret| secret.len() == DIGITS && secret.bytes().all(is_digit))
}

/// Returns the time at which a lease that begins now expires.
fn expiration() -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = (now.unwrap_or_default() + LIFE).as_secs();
    Timestamp::of_seconds(i64::try_from(seconds).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_form_are_of_loads() {
        let name = name_of([0; 16]);
        assert!(is_of_load(&name) && is_of_load(&name_of([0xfe; 16])));
        for other in [
            PREFIX.to_owned(),
            "hocker-load-mine".to_owned(),
            format!("{name}0"),
            name.replacen('0', "g", 1),
            name.replacen('0', "A", 1),
            name.replacen("load", "keep", 1),
            String::new(),
        ] {
            assert!(!is_of_load(&other), "{other}");
        }
    }
}
