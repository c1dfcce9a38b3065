//! Platforms: what an image runs on, and which entry of an index serves one.
//!
//! Sources: OCI image specification, `image-index.md`; containerd `platforms` (normalisation and the ARM
//! variant ladder: a v8 machine runs v7, v6 and v5, in that order of preference).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::go_json::Shape;

/// Operating system, architecture and variant, in the names that Go uses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Platform {
    /// `linux`, `windows`, …
    #[serde(default)]
    pub os: String,
    /// `amd64`, `arm64`, `arm`, …
    #[serde(default)]
    pub architecture: String,
    /// `v8`, `v7`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// The build number that Windows images need.
    #[serde(
        default,
        rename = "os.version",
        skip_serializing_if = "Option::is_none"
    )]
    pub os_version: Option<String>,
}

impl Platform {
    /// Its keys.
    pub(crate) const SHAPE: Shape = Shape::Object(&[
        ("architecture", &Shape::Any),
        ("os", &Shape::Any),
        ("os.version", &Shape::Any),
        ("os.features", &Shape::Any),
        ("variant", &Shape::Any),
    ]);

    /// Linux on the architecture that this program was compiled for. Containers run in a Linux virtual
    /// machine elsewhere, so the operating system is Linux everywhere.
    #[must_use]
    pub fn of_this_machine() -> Self {
        Self::compiled_for(std::env::consts::ARCH, cfg!(target_endian = "little"))
    }

    /// Linux on an architecture as `std::env::consts::ARCH` names it. Where a processor runs in either byte
    /// order, Go has two names and Rust one.
    fn compiled_for(architecture: &str, little_endian: bool) -> Self {
        let architecture = match (architecture, little_endian) {
            ("powerpc64", true) => "ppc64le",
            ("powerpc64", false) => "ppc64",
            ("powerpc", _) => "ppc",
            ("mips64" | "mips64r6", true) => "mips64le",
            ("mips64" | "mips64r6", false) => "mips64",
            ("mips" | "mips32r6", true) => "mipsle",
            ("mips" | "mips32r6", false) => "mips",
            (architecture, _) => architecture,
        };
        Self {
            os: "linux".to_owned(),
            architecture: architecture.to_owned(),
            variant: None,
            os_version: None,
        }
        .normalised()
    }

    /// The same platform in the one spelling that is compared: `x86_64` is `amd64`, `arm64/v8` is `arm64`,
    /// `arm` is `arm/v7`.
    #[must_use]
    pub fn normalised(&self) -> Self {
        let lower = |text: &str| text.to_ascii_lowercase();
        let variant = self
            .variant
            .as_deref()
            .map(lower)
            .filter(|variant| !variant.is_empty());
        let architecture = lower(&self.architecture);
        let (architecture, variant) = match (architecture.as_str(), variant.as_deref()) {
            ("x86_64" | "x86-64" | "amd64", variant) => {
                ("amd64", variant.filter(|variant| *variant != "v1"))
            }
            ("i386" | "i486" | "i586" | "i686" | "x86" | "386", _) => ("386", None),
            ("aarch64" | "arm64", variant) => (
                "arm64",
                variant.filter(|variant| !matches!(*variant, "v8" | "8")),
            ),
            ("armhf", _) | ("arm", None | Some("7")) => ("arm", Some("v7")),
            ("armel", _) | ("arm", Some("6")) => ("arm", Some("v6")),
            ("arm", Some("5")) => ("arm", Some("v5")),
            ("arm", Some("8")) => ("arm", Some("v8")),
            ("powerpc64le", variant) => ("ppc64le", variant),
            ("loongarch64", variant) => ("loong64", variant),
            other => other,
        };
        Self {
            os: match lower(&self.os).as_str() {
                "macos" => "darwin".to_owned(),
                os => os.to_owned(),
            },
            architecture: architecture.to_owned(),
            variant: variant.map(str::to_owned),
            os_version: self.os_version.clone(),
        }
    }

    /// How well an image for `offered` serves a machine of this platform: `None` if it does not run, else
    /// the smaller the better.
    #[must_use]
    pub fn distance_to(&self, offered: &Self) -> Option<u8> {
        let (wanted, offered) = (self.normalised(), offered.normalised());
        let same_version = match (&wanted.os_version, &offered.os_version) {
            (Some(wanted), Some(offered)) => wanted == offered,
            _ => true,
        };
        if wanted.os != offered.os || wanted.architecture != offered.architecture || !same_version {
            return None;
        }
        if wanted.variant == offered.variant {
            return Some(0);
        }
        let level = |platform: &Self| -> Option<u8> {
            match (platform.architecture.as_str(), platform.variant.as_deref()) {
                ("amd64", None) => Some(1),
                ("arm64", None) => Some(8),
                (_, Some(variant)) => variant.strip_prefix('v')?.parse().ok(),
                _ => None,
            }
        };
        match (level(&wanted), level(&offered)) {
            (Some(wanted), Some(offered)) if offered <= wanted => Some(wanted - offered),
            _ => None,
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        match &self.variant {
            Some(variant) => write!(f, "/{variant}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Platform {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let parts: Vec<&str> = text.split('/').collect();
        let word = |part: &&str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
        };
        let platform = |os: &str, architecture: &str, variant: Option<&str>| {
            Self {
                os: os.to_owned(),
                architecture: architecture.to_owned(),
                variant: variant.map(str::to_owned),
                os_version: None,
            }
            .normalised()
        };
        match parts.as_slice() {
            parts if !parts.iter().all(word) => Err(ParseError(text.to_owned())),
            [os, architecture] => Ok(platform(os, architecture, None)),
            [os, architecture, variant] => Ok(platform(os, architecture, Some(variant))),
            _ => Err(ParseError(text.to_owned())),
        }
    }
}

/// A text that is not a platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a platform: it reads like linux/amd64 or linux/arm/v7")]
pub struct ParseError(String);

#[cfg(test)]
mod tests {
    use super::Platform;

    fn platform(text: &str) -> Platform {
        text.parse().unwrap()
    }

    #[test]
    fn spellings_of_one_platform_are_one() {
        for (text, normal) in [
            ("linux/x86_64", "linux/amd64"),
            ("linux/arm64/v8", "linux/arm64"),
            ("linux/aarch64", "linux/arm64"),
            ("linux/arm", "linux/arm/v7"),
            ("Linux/ARM/v6", "linux/arm/v6"),
            ("linux/s390x", "linux/s390x"),
            ("macOS/riscv64", "darwin/riscv64"),
        ] {
            assert_eq!(platform(text).to_string(), normal);
        }
    }

    #[test]
    fn machines_have_the_names_that_go_gives_them() {
        for (rust, little_endian, go) in [
            ("x86_64", true, "linux/amd64"),
            ("x86", true, "linux/386"),
            ("aarch64", true, "linux/arm64"),
            ("arm", true, "linux/arm/v7"),
            ("powerpc64", true, "linux/ppc64le"),
            ("powerpc64", false, "linux/ppc64"),
            ("powerpc", false, "linux/ppc"),
            ("mips", false, "linux/mips"),
            ("mips", true, "linux/mipsle"),
            ("mips64", false, "linux/mips64"),
            ("mips64", true, "linux/mips64le"),
            ("mips64r6", true, "linux/mips64le"),
            ("riscv64", true, "linux/riscv64"),
            ("s390x", false, "linux/s390x"),
            ("loongarch64", true, "linux/loong64"),
            ("sparc64", false, "linux/sparc64"),
        ] {
            let platform = Platform::compiled_for(rust, little_endian);
            assert_eq!(platform.to_string(), go, "{rust}");
        }
    }

    #[test]
    fn arm_machines_take_their_own_variant_or_an_older_one() {
        for (wanted, offered, distance) in [
            ("linux/arm/v7", "linux/arm/v7", Some(0)),
            ("linux/arm/v7", "linux/arm/v6", Some(1)),
            ("linux/arm/v7", "linux/arm/v5", Some(2)),
            ("linux/arm/v6", "linux/arm/v7", None),
            ("linux/arm64", "linux/arm64/v8", Some(0)),
            ("linux/arm64", "linux/arm/v7", None),
            ("linux/amd64", "linux/amd64/v3", None),
            ("linux/amd64/v3", "linux/amd64", Some(2)),
            ("linux/amd64", "windows/amd64", None),
        ] {
            assert_eq!(
                platform(wanted).distance_to(&platform(offered)),
                distance,
                "{wanted} offered {offered}"
            );
        }
    }

    #[test]
    fn refuses_what_is_not_a_platform() {
        for text in ["", "linux", "linux/", "/amd64", "a/b/c/d", "linux/am d64"] {
            assert!(text.parse::<Platform>().is_err(), "{text:?}");
        }
    }
}
