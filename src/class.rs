//! The class of an error: the kind of failure, independent of the module that reports it.
//!
//! Every error that reaches a caller has a method `class`. An unusable document has the same class from a registry,
//! from disk and from a lock file. The program has one exit code per class.

/// A kind of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// The image, tag, layer or platform does not exist.
    NotFound,
    /// A server denies access.
    Denied,
    /// Content does not match its digest or size, or contradicts itself.
    Integrity,
    /// A server gives no usable response. The same request may succeed later.
    Unavailable,
    /// hocker does not support the content or the server's behaviour.
    Unsupported,
    /// An argument or environment variable cannot be used.
    Usage,
    /// Any other failure, such as an error of the operating system.
    Other,
}
