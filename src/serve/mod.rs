//! A read-only registry of images on disk: OCI image layouts and what `fetchdocker` builds.
//!
//! It owns the pull part of the OCI distribution specification and nothing else: nothing can be pushed,
//! nothing is fetched from elsewhere. What is served is decided once, at start, by walking the documents
//! from `index.json` down; a request can only name what that walk found, so no request reaches the file system
//! by a path of its own.
//!
//! Source: OCI distribution specification, sections "Pull" and "Content Discovery".

mod accept;
mod access_log;
mod admission;
mod answer;
mod blob;
mod catalogue;
mod condition;
mod connection;
mod content;
mod contents;
mod error;
#[cfg(test)]
mod fixture;
mod identity;
mod limits;
mod name;
mod names;
mod pace;
mod page;
mod range;
mod request;
mod routes;
mod server;
mod well_formed;

pub use access_log::{Access, AccessLog};
pub use catalogue::Catalogue;
pub use error::Error;
pub use names::Naming;
pub use server::{Server, ServerError};
