//! Platforms: the operating system and architecture of an image, and which images a machine can run.
//!
//! Sources: OCI image specification, `image-index.md`; containerd's module `platforms` for the grammar, the spellings
//! and the order of preference.

mod parse;
mod serves;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::parse::ParseError;

use crate::go_json::Shape;
use crate::go_json::null_as_default;
use crate::printable::Printable;

/// An operating system, architecture and variant, by Go's names.
///
/// ```
/// use hocker::oci::Platform;
///
/// let machine: Platform = "linux/arm/v7".parse()?;
/// assert_eq!(machine.architecture, "arm");
/// assert_eq!("aarch64".parse::<Platform>()?.to_string(), "linux/arm64");
///
/// // A machine with ARMv7 runs images for ARMv6, but not images for ARMv8.
/// assert!(machine.distance_to(&"linux/arm/v6".parse()?).is_some());
/// assert!(machine.distance_to(&"linux/arm64".parse()?).is_none());
/// # Ok::<(), hocker::oci::platform::ParseError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Platform {
    /// The operating system: `linux`, `windows`, …
    #[serde(default, deserialize_with = "null_as_default")]
    pub os: String,
    /// The architecture: `amd64`, `arm64`, `arm`, …
    #[serde(default, deserialize_with = "null_as_default")]
    pub architecture: String,
    /// The variant of the architecture: `v8`, `v7`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// The version of the operating system, which matters for Windows images.
    #[serde(
        default,
        rename = "os.version",
        skip_serializing_if = "Option::is_none"
    )]
    pub os_version: Option<String>,
    /// The required features of the operating system: `win32k`, …
    #[serde(
        default,
        rename = "os.features",
        deserialize_with = "null_as_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub os_features: Vec<String>,
}

impl Platform {
    /// The known keys.
    pub(crate) const SHAPE: Shape = Shape::Object(&[
        ("architecture", &Shape::Any),
        ("os", &Shape::Any),
        ("os.version", &Shape::Any),
        ("os.features", &Shape::Any),
        ("variant", &Shape::Any),
    ]);

    /// Returns Linux on the architecture of this program. The operating system is always Linux, because on other
    /// systems containers run in a Linux virtual machine.
    #[must_use]
    pub fn of_this_machine() -> Self {
        Self::compiled_for(std::env::consts::ARCH, cfg!(target_endian = "little"))
    }

    /// Returns Linux on an architecture with the name from `std::env::consts::ARCH`. If a processor supports both byte
    /// orders, Go has two names and Rust has one.
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
        Self::linux(architecture)
    }

    /// Returns Linux on an architecture in any spelling.
    #[must_use]
    pub fn linux(architecture: &str) -> Self {
        Self {
            os: "linux".to_owned(),
            architecture: architecture.to_owned(),
            ..Self::default()
        }
        .normalised()
    }

    /// Returns whether operating system and architecture are empty: some tools write empty texts for an unknown
    /// platform.
    #[must_use]
    pub fn is_unnamed(&self) -> bool {
        self.os.is_empty() && self.architecture.is_empty()
    }

    /// Returns the platform in its normal spelling, which is used for comparison: `x86_64` becomes `amd64`, `arm64/v8`
    /// becomes `arm64`, `arm` becomes `arm/v7`. The synonyms are those of containerd, uname and Rust.
    #[must_use]
    pub fn normalised(&self) -> Self {
        let lower = |text: &str| text.to_ascii_lowercase();
        let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let variant = filled(&self.variant).map(|variant| lower(&variant));
        let architecture = lower(&self.architecture);
        let (architecture, variant) = match (architecture.as_str(), variant.as_deref()) {
            ("x86_64" | "x86-64" | "amd64", variant) => {
                ("amd64", variant.filter(|variant| *variant != "v1"))
            }
            ("i386" | "i486" | "i586" | "i686" | "x86", _) => ("386", None),
            ("aarch64" | "arm64", Some("8" | "v8" | "v8.0")) => ("arm64", None),
            ("aarch64" | "arm64", Some("9" | "9.0" | "v9.0")) => ("arm64", Some("v9")),
            ("aarch64", variant) => ("arm64", variant),
            ("armhf", _) | ("arm", None | Some("7")) => ("arm", Some("v7")),
            ("armel", _) | ("arm", Some("6")) => ("arm", Some("v6")),
            ("arm", Some("5")) => ("arm", Some("v5")),
            ("arm", Some("8")) => ("arm", Some("v8")),
            ("powerpc64le", variant) => ("ppc64le", variant),
            ("loongarch64", variant) => ("loong64", variant),
            other => other,
        };
        let mut os_features = self.os_features.clone();
        os_features.retain(|feature| !feature.is_empty());
        os_features.sort();
        os_features.dedup();
        Self {
            os: match lower(&self.os).as_str() {
                "macos" => "darwin".to_owned(),
                os => os.to_owned(),
            },
            architecture: architecture.to_owned(),
            variant: variant.map(str::to_owned),
            os_version: filled(&self.os_version),
            os_features,
        }
    }
}

/// The form that [`FromStr`](std::str::FromStr) parses: `linux/arm/v7`, `windows(10.0.17763+win32k)/amd64`.
impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Printable::new(&self.os))?;
        let version = self.os_version.as_deref().unwrap_or_default();
        if !version.is_empty() || !self.os_features.is_empty() {
            write!(f, "({}", parse::escaped(version))?;
            for feature in &self.os_features {
                write!(f, "+{}", parse::escaped(feature))?;
            }
            f.write_str(")")?;
        }
        write!(f, "/{}", Printable::new(&self.architecture))?;
        match self
            .variant
            .as_deref()
            .filter(|variant| !variant.is_empty())
        {
            Some(variant) => write!(f, "/{}", Printable::new(variant)),
            None => Ok(()),
        }
    }
}

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
            ("linux/x86-64/v1", "linux/amd64"),
            ("linux/amd64/v2", "linux/amd64/v2"),
            ("linux/i386/sse", "linux/386"),
            ("linux/386/sse", "linux/386/sse"),
            ("linux/arm64/v8", "linux/arm64"),
            ("linux/arm64/8", "linux/arm64"),
            ("linux/aarch64/v8.0", "linux/arm64"),
            ("linux/aarch64", "linux/arm64"),
            ("linux/arm64/v8.1", "linux/arm64/v8.1"),
            ("linux/arm64/9", "linux/arm64/v9"),
            ("linux/arm64/9.0", "linux/arm64/v9"),
            ("linux/Aarch64/V9.0", "linux/arm64/v9"),
            ("linux/arm64/v9.2", "linux/arm64/v9.2"),
            ("linux/arm", "linux/arm/v7"),
            ("linux/arm/7", "linux/arm/v7"),
            ("linux/arm/5", "linux/arm/v5"),
            ("linux/arm/8", "linux/arm/v8"),
            ("linux/armhf/v6", "linux/arm/v7"),
            ("linux/armel/v7", "linux/arm/v6"),
            ("Linux/ARM/v6", "linux/arm/v6"),
            ("linux/s390x", "linux/s390x"),
            ("macOS/riscv64", "darwin/riscv64"),
            ("linux(+b+a+b)/amd64", "linux(+a+b)/amd64"),
        ] {
            assert_eq!(platform(text).to_string(), normal, "{text}");
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
    fn what_go_writes_of_nothing_is_nothing() {
        for json in [
            "{}",
            r#"{"os":"","architecture":"","variant":"","os.version":"","os.features":[]}"#,
            r#"{"os":null,"architecture":null,"variant":null,"os.version":null,"os.features":null}"#,
            r#"{"os.features":[""]}"#,
        ] {
            let platform: Platform = serde_json::from_str(json).unwrap();
            assert!(platform.is_unnamed(), "{json}");
            assert_eq!(platform.normalised(), Platform::default(), "{json}");
        }
    }

    #[test]
    fn the_words_of_others_are_printed_printable() {
        let platform = Platform {
            os: "li\u{1b}[31mnux".to_owned(),
            architecture: "am\nd64".to_owned(),
            variant: Some("\u{202e}v1".to_owned()),
            os_version: Some("1\r".to_owned()),
            os_features: vec!["\u{200b}".to_owned()],
        };
        assert_eq!(
            platform.to_string(),
            r"li\u{1b}[31mnux(1%0D+%E2%80%8B)/am\nd64/\u{202e}v1"
        );
    }
}
