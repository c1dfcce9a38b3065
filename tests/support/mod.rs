//! What both rings of tests share: a registry whose answers and faults are scripted, small images made in
//! memory, and a way to run the executable that inherits nothing from the machine.
#![allow(
    dead_code,
    unused_imports,
    reason = "each test binary uses its own part of the shared support"
)]

pub(crate) mod archive;
pub(crate) mod files;
pub(crate) mod hocker;
pub(crate) mod image;
pub(crate) mod layer;
pub(crate) mod pages;
pub(crate) mod properties;
pub(crate) mod scripted_registry;
pub(crate) mod serving;
pub(crate) mod sigstore;
pub(crate) mod tls;
