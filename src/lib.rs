//! Registry images into the Nix store, layer by layer, **without downloading anything to learn its
//! hash**, because the manifest already holds it.
//!
//! # Architecture
//!
//! The modules stand in five layers. A module uses its own layer and those above it in this list, never one
//! below; `tests/it/layers.rs` reads the sources and holds this.
//!
//! | layer | what lives there |
//! |---|---|
//! | values | what the specifications name: references, digests, descriptors, manifests. Parsed at the door, no input or output |
//! | mechanisms | HTTP, verification, compression, files that appear whole or not at all. They know no registry |
//! | auth | challenges, tokens, and where credentials come from |
//! | subject | the registry client, archives, Nix text, the lock file, Compose files, the read-only registry, container daemons |
//! | program | the command line: arguments, one file per command, errors for people, exit codes |
//!
//! ```text
//! arguments, environment → cli::args → Reference, Credentials, Platform, Output
//! Reference → registry::resolve → Document<Index|Manifest> → select(Platform) → Document<Manifest>
//! Descriptor → registry::blob → verify → { output | compression → archive → output }
//! image on disk → archive::stored_image → daemon
//! Document<Manifest> → nix::expression → render → standard output
//! ```
//!
//! Bytes whose digest matters are kept in a [`oci::Document`] and never serialised again.

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
