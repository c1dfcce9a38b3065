//! A client for container registries that brings images into the Nix store, layer by layer. It **downloads nothing to
//! compute a hash**, because the manifest already contains the hashes.
//!
//! Start with [`registry::Registry`]: it resolves a [`name::Reference`] to a manifest and fetches blobs. The directory
//! `examples` has complete programs.
//!
//! # Architecture
//!
//! The modules form five layers. A module uses modules of its own layer and of the layers above it in this list. The
//! test `tests/it/layers.rs` reads the sources and checks this.
//!
//! | layer | contents |
//! |---|---|
//! | values | the terms of the specifications: references, digests, descriptors, manifests. They parse text and do no input or output |
//! | mechanisms | HTTP, verification, compression, files that are absent or complete. They do not know registries |
//! | auth | challenges, tokens, and the sources of credentials |
//! | subject | the registry client, archives, Nix text, the lock file, Compose files, the read-only registry, container daemons |
//! | program | the command line: arguments, one file per command, error messages, exit codes |
//!
//! ```text
//! arguments, environment → cli::args → Reference, Credentials, Platform, Output
//! Reference → registry::resolve → Document<Index|Manifest> → select(Platform) → Document<Manifest>
//! Descriptor → registry::blob → verify → { output | compression → archive → output }
//! image on disk → archive::stored_image → daemon
//! Document<Manifest> → nix::expression → render → standard output
//! ```
//!
//! A document whose digest matters stays in an [`oci::Document`] with its original bytes. It is never serialised again.

// Values.
pub mod causes;
pub mod class;
mod error_body;
pub mod go_json;
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
pub mod lock;
pub mod nix;
pub mod pin;
pub mod pull;
pub mod registry;
pub mod serve;
