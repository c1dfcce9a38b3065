//! Brings container images from a registry into the Nix store, layer by layer. It **downloads nothing to learn a hash**,
//! because the manifest already contains the hashes. It also loads, mounts and serves images, and maintains lock files.
//!
//! Start with [`registry::Registry`]: it resolves a [`name::Reference`] to a manifest and fetches blobs. The directory
//! `examples` has complete programs.
//!
//! The feature `cli`, which is on by default, adds the program and its crates. Without it, this is a library alone.
//!
//! # Architecture
//!
//! The modules form four layers. A module uses modules of its own layer and of the layers above it in this list. The
//! test `tests/it/layers.rs` reads the sources and checks this; `tests/it/circles.rs` checks that no file imports a file
//! that imports it.
//!
//! | layer | contents |
//! |---|---|
//! | values | the terms of the specifications: references, digests, descriptors, manifests. They parse text and do no input or output |
//! | mechanisms | HTTP, verification, compression, files that are absent or complete. They do not know registries |
//! | auth | challenges, tokens, and the sources of credentials |
//! | subject | the registry client, archives, EROFS images and their mounts, podman's store, pulling, signatures, the lock file and its page, differences, Compose files, Nix text and builds, container daemons, the read-only registry |
//!
//! The program, `src/cli`, uses this library as any other program does.
//!
//! ```text
//! Reference → registry → Document<Index|Manifest> → select(Platform) → Document<Manifest>
//! Document<Manifest> → registry → verify → pull → archive or layout
//! image on disk → archive::stored_image → pull, daemon or serve
//! Document<Manifest> → nix::expression, or pin → lock
//! derivation → nix::builder → registry → output
//! ```
//!
//! A document whose digest matters stays in an [`oci::Document`] with its original bytes. It is never serialised again.

// Values.
pub mod causes;
pub mod class;
mod error_body;
mod go_json;
pub mod name;
pub mod oci;
pub mod printable;
pub mod safe_url;
pub mod secret;
pub mod size;

// Mechanisms.
pub mod compression;
pub mod file_lock;
pub mod http;
pub mod input;
pub mod output;
pub mod verify;

// Auth.
pub mod auth;

// Subject.
pub mod archive;
pub mod compose;
pub mod daemon;
pub mod diff;
pub mod erofs;
pub mod html;
pub mod lock;
#[cfg(target_os = "linux")]
pub mod mount;
pub mod nix;
pub mod pin;
pub mod podman_store;
pub mod pull;
pub mod registry;
pub mod serve;
pub mod signature;
