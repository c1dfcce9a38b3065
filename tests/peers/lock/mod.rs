//! The lock file among real peers: fifty images on docker-registry, followed, compared and built.

pub(crate) mod bot; // the commands of docs/lock-file.md, as a bot runs them
mod compose; // the images that Compose itself names
mod fleet; // fifty images
mod follow; // what is asked for, and what is told
mod hostile; // locks that an enemy wrote, by Nix and by the program
mod import; // importLock: evaluation and builds
mod index; // the digest of the index, while the registry is down
mod kill; // an update that is killed anywhere
pub(crate) mod pull_request; // the workflow files of bots, and the lock file compared with commits
mod shared; // layers that images of different repositories share
mod signers; // signatures in real registries
mod tags; // fifty images with five thousand tags, by pattern and with a wait
