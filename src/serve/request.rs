//! The head of a request: its request line and its fields.

use hyper::{HeaderMap, Method, Uri, Version};

/// The query parameter with which containerd names the registry whose mirror it asks.
pub(super) const NAMESPACE: &str = "ns";

/// A request without its body.
#[derive(Clone, Copy, Debug)]
pub(super) struct RequestHead<'a> {
    pub(super) method: &'a Method,
    pub(super) uri: &'a Uri,
    pub(super) version: Version,
    pub(super) headers: &'a HeaderMap,
}
