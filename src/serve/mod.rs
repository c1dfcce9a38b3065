//! A read-only registry of images on disk: OCI image layouts and results of `fetchdocker`.
//!
//! This module owns the pull part of the OCI distribution specification and nothing else: clients cannot push, and the
//! server fetches nothing. It finds all content once, at the start, by reading the documents below `index.json`. Requests
//! can only name this content, so no request becomes a path in the file system.
//!
//! Source: OCI distribution specification, sections "Pull", "Content Discovery" and "Listing Referrers".

mod accept;
mod access_log;
mod admission;
mod blob;
mod catalogue;
mod condition;
mod connection;
mod error;
#[cfg(test)]
mod fixture;
mod identity;
mod layout_name;
mod limits;
mod multipart;
mod naming;
mod object;
mod pace;
mod page;
mod percent;
mod platforms;
mod range;
mod referrers;
mod repository;
mod request;
mod response;
mod routes;
mod server;
mod supervision;
mod temporary;
mod unnamed_referrers;
mod well_formed;

pub use access_log::{Access, AccessLog};
pub use catalogue::Catalogue;
pub use error::Error;
pub use naming::Naming;
pub use server::{Server, ServerError};
pub use supervision::{Sending, Supervision, Verdict};
pub use temporary::Temporary;
