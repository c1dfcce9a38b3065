//! The class of an error: what kind of failure it is, whichever module it comes from.
//!
//! Every error that reaches a caller has a method `class`. The same unusable document has the same class whether it
//! comes from a registry, from disk or from a lock file. The program ends with one exit code a class.

/// A kind of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// No such image, tag, layer or platform.
    NotFound,
    /// Access is denied.
    Denied,
    /// Content is not what its digest or size says, or contradicts itself.
    Integrity,
    /// No usable answer, and the same request may succeed later.
    Unavailable,
    /// Something that hocker does not handle.
    Unsupported,
    /// Arguments or variables of the environment that cannot be used.
    Usage,
    /// Any other failure, such as an error of the operating system.
    Other,
}
