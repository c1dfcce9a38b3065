//! The namespaces of containerd, which keep the images and containers of different clients apart.
//!
//! Source: containerd, `identifiers/validate.go`.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// The namespace of Kubernetes, in which pods find images.
const KUBERNETES: &str = "k8s.io";
/// The namespace of `ctr` and `nerdctl`.
const DEFAULT: &str = "default";
/// The longest name in bytes.
const LONGEST: usize = 76;

/// The sockets of containerd that belong to a distribution of Kubernetes: k3s and RKE2, k0s, and `MicroK8s`.
const SOCKETS_OF_KUBERNETES: [&str; 3] = [
    "/run/k3s/containerd/containerd.sock",
    "/run/k0s/containerd.sock",
    "/var/snap/microk8s/common/run/containerd.sock",
];

/// The name of a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace(String);

impl Namespace {
    /// Returns the namespace that is used at a socket if the user names none: `k8s.io` for the sockets of k3s, RKE2, k0s
    /// and `MicroK8s`, otherwise `default`.
    #[must_use]
    pub fn of_socket(socket: &Path) -> Self {
        let is_of_kubernetes = SOCKETS_OF_KUBERNETES
            .iter()
            .any(|name| socket == Path::new(name) || socket == Path::new(&format!("/var{name}")));
        let name = if is_of_kubernetes {
            KUBERNETES
        } else {
            DEFAULT
        };
        Self(name.to_owned())
    }

    /// Returns whether pods use the images of the namespace.
    #[must_use]
    pub fn is_of_kubernetes(&self) -> bool {
        self.0 == KUBERNETES
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Namespace {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let is_part =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if text.len() <= LONGEST && text.split(['.', '_', '-']).all(is_part) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseError)
        }
    }
}

/// The text is not the name of a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the value must be a namespace of containerd like k8s.io: at most 76 letters and digits, with single `.`, `-` or `_` \
     between them"
)]
pub struct ParseError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_what_containerd_accepts() {
        for text in ["default", "k8s.io", "a-b_c.D9", &"x".repeat(76)] {
            assert_eq!(text.parse::<Namespace>().unwrap().as_str(), text);
        }
        for text in ["", ".", "a..b", "-a", "a/b", "a b", "é", &"x".repeat(77)] {
            assert_eq!(text.parse::<Namespace>(), Err(ParseError), "{text}");
        }
    }

    #[test]
    fn the_sockets_of_kubernetes_have_its_namespace() {
        for (socket, namespace) in [
            ("/run/k3s/containerd/containerd.sock", "k8s.io"),
            ("/var/run/k3s/containerd/containerd.sock", "k8s.io"),
            ("/run/k0s/containerd.sock", "k8s.io"),
            ("/run/containerd/containerd.sock", "default"),
            ("/tmp/k3s/containerd/containerd.sock", "default"),
        ] {
            assert_eq!(Namespace::of_socket(Path::new(socket)).as_str(), namespace);
        }
    }
}
