//! The parts for Nix: hashes in Nix's forms, the expressions that `docker2nix` prints, and the work of the program as a
//! builder of Nix.
//!
//! Only [`builder`] uses the network.

pub mod builder;
pub mod expression;
pub mod hash_text;
pub mod image;
pub mod podman_store;
pub mod progress;
mod render;
pub mod service;
mod store_file;
