//! What a request says before its body.

use hyper::{HeaderMap, Method, Uri, Version};

/// The parameter by which containerd says which registry a mirror is asked in place of.
pub(super) const NAMESPACE: &str = "ns";

/// A request without its body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head<'a> {
    pub(super) method: &'a Method,
    pub(super) uri: &'a Uri,
    pub(super) version: Version,
    pub(super) headers: &'a HeaderMap,
}
