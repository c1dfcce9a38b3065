//! The text form of platforms: `linux/arm/v7`, `arm64`, `windows(10.0.17763+win32k)/amd64`.
//!
//! Source: containerd's `platforms`, `Parse`.

use std::str::FromStr;

use super::Platform;
use crate::safe_url;

/// Go's operating systems, which are valid without an architecture.
const SYSTEMS: [&str; 17] = [
    "aix",
    "android",
    "darwin",
    "dragonfly",
    "freebsd",
    "hurd",
    "illumos",
    "ios",
    "js",
    "linux",
    "nacl",
    "netbsd",
    "openbsd",
    "plan9",
    "solaris",
    "windows",
    "zos",
];

/// Go's architectures, which are valid without an operating system.
const ARCHITECTURES: [&str; 24] = [
    "386",
    "amd64",
    "amd64p32",
    "arm",
    "arm64",
    "arm64be",
    "armbe",
    "loong64",
    "mips",
    "mips64",
    "mips64le",
    "mips64p32",
    "mips64p32le",
    "mipsle",
    "ppc",
    "ppc64",
    "ppc64le",
    "riscv",
    "riscv64",
    "s390",
    "s390x",
    "sparc",
    "sparc64",
    "wasm",
];

impl FromStr for Platform {
    type Err = ParseError;

    /// Parses a platform. An operating system without an architecture gets that of this machine; an architecture
    /// without an operating system gets Linux.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = || ParseError(safe_url::shown(text));
        let mut parts = text.split('/');
        let system = parts
            .next()
            .and_then(system)
            .ok_or_else(error)?
            .normalised();
        let rest: Vec<&str> = parts.collect();
        if !rest.iter().all(|part| is_word(part, "_.-")) {
            return Err(error());
        }
        let on = |architecture: &str, variant: Option<&str>| Self {
            architecture: architecture.to_owned(),
            variant: variant.map(str::to_owned),
            ..system.clone()
        };
        let platform = match rest.as_slice() {
            [] if SYSTEMS.contains(&system.os.as_str()) => {
                let own = Self::of_this_machine();
                on(&own.architecture, own.variant.as_deref())
            }
            [] => {
                let platform = Self::linux(text);
                if !ARCHITECTURES.contains(&platform.architecture.as_str()) {
                    return Err(error());
                }
                platform
            }
            [architecture] => on(architecture, None),
            [architecture, variant] => on(architecture, Some(variant)),
            _ => return Err(error()),
        };
        Ok(platform.normalised())
    }
}

impl Platform {
    /// Parses a platform with an operating system and an architecture, so that it means the same on every machine.
    pub fn in_full(text: &str) -> Result<Self, ParseError> {
        if !text.contains('/') {
            return Err(ParseError(safe_url::shown(text)));
        }
        text.parse()
    }
}

/// Parses the part before the first slash: the operating system with its version and features.
fn system(text: &str) -> Option<Platform> {
    let (os, options) = match text.split_once('(') {
        Some((os, options)) => (os, options.strip_suffix(')')?),
        None => (text, ""),
    };
    let mut options = options.split('+');
    let version = options.next()?;
    let features: Vec<&str> = options.collect();
    let is_option = |option: &str| option.is_empty() || is_word(option, "_.%-");
    let options_are_good = is_option(version)
        && features
            .iter()
            .all(|feature| !feature.is_empty() && is_option(feature));
    if !is_word(os, "_-") || !options_are_good {
        return None;
    }
    Some(Platform {
        os: os.to_owned(),
        os_version: Some(unescaped(version)?),
        os_features: features.into_iter().map(unescaped).collect::<Option<_>>()?,
        ..Platform::default()
    })
}

fn is_word(text: &str, others: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || others.contains(character))
}

/// Escapes a version or feature: other characters than letters, digits, `_`, `.` and `-` become `%` and two hex digits.
pub(super) fn escaped(option: &str) -> String {
    let mut escaped = String::new();
    for byte in option.bytes() {
        if byte.is_ascii_alphanumeric() || b"_.-".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.extend(format!("%{byte:02X}").chars());
        }
    }
    escaped
}

fn unescaped(option: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = option.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            bytes.push(u8::try_from(digit()? * 16 + digit()?).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// A text that is not a platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a platform: write one like linux/amd64, linux/arm/v7 or arm64")]
pub struct ParseError(String);

#[cfg(test)]
mod tests {
    use super::*;

    /// Operating system, version, features, architecture and variant.
    fn parts(text: &str) -> [String; 5] {
        let platform: Platform = text.parse().unwrap();
        [
            platform.os,
            platform.os_version.unwrap_or_default(),
            platform.os_features.join(" "),
            platform.architecture,
            platform.variant.unwrap_or_default(),
        ]
    }

    /// The values of containerd's table, in the normal spelling: `arm/v7` for `arm`, `arm64` for `arm64/v8`.
    #[test]
    fn reads_platforms_as_containerd_does() {
        let own = Platform::of_this_machine();
        let (arch, variant) = (own.architecture, own.variant.unwrap_or_default());
        let (arch, variant) = (arch.as_str(), variant.as_str());
        for (text, expected) in [
            ("linux/arm64", ["linux", "", "", "arm64", ""]),
            ("linux/arm64/v8", ["linux", "", "", "arm64", ""]),
            ("linux/arm64/v8.1", ["linux", "", "", "arm64", "v8.1"]),
            ("linux/arm64/v9.0", ["linux", "", "", "arm64", "v9"]),
            ("linux/arm", ["linux", "", "", "arm", "v7"]),
            ("linux/arm/v6", ["linux", "", "", "arm", "v6"]),
            ("linux/arm/v7", ["linux", "", "", "arm", "v7"]),
            ("arm", ["linux", "", "", "arm", "v7"]),
            ("armel", ["linux", "", "", "arm", "v6"]),
            ("armhf", ["linux", "", "", "arm", "v7"]),
            ("Aarch64", ["linux", "", "", "arm64", ""]),
            ("arm64", ["linux", "", "", "arm64", ""]),
            ("amd64", ["linux", "", "", "amd64", ""]),
            ("x86_64", ["linux", "", "", "amd64", ""]),
            ("x86-64", ["linux", "", "", "amd64", ""]),
            ("Linux/x86_64", ["linux", "", "", "amd64", ""]),
            ("i386", ["linux", "", "", "386", ""]),
            ("linux", ["linux", "", "", arch, variant]),
            ("s390x", ["linux", "", "", "s390x", ""]),
            ("linux/s390x", ["linux", "", "", "s390x", ""]),
            ("macOS", ["darwin", "", "", arch, variant]),
            ("windows", ["windows", "", "", arch, variant]),
            ("windows()", ["windows", "", "", arch, variant]),
            (
                "windows(10.0.17763)",
                ["windows", "10.0.17763", "", arch, variant],
            ),
            (
                "windows(10.0.17763+win32k)",
                ["windows", "10.0.17763", "win32k", arch, variant],
            ),
            ("linux(+gpu)", ["linux", "", "gpu", arch, variant]),
            ("linux(+gpu+simd)", ["linux", "", "gpu simd", arch, variant]),
            (
                "linux(+unsorted+erofs)",
                ["linux", "", "erofs unsorted", arch, variant],
            ),
            (
                "windows(10.0.17763%2Bbuild.42)",
                ["windows", "10.0.17763+build.42", "", arch, variant],
            ),
            (
                "windows(10.0.17763%2bbuild.42+win32k)",
                ["windows", "10.0.17763+build.42", "win32k", arch, variant],
            ),
            (
                "windows(50%25done)",
                ["windows", "50%done", "", arch, variant],
            ),
            (
                "linux(+feat%2Bv2)/amd64",
                ["linux", "", "feat+v2", "amd64", ""],
            ),
            (
                "windows(a%2Fb%28c%29)/amd64",
                ["windows", "a/b(c)", "", "amd64", ""],
            ),
            (
                "linux(%1b%E2%80%AE%0a)/amd64",
                ["linux", "\u{1b}\u{202e}\n", "", "amd64", ""],
            ),
            // The platform may be incomplete.
            ("plan10/z81/v2", ["plan10", "", "", "z81", "v2"]),
        ] {
            assert_eq!(parts(text), expected, "{text}");
            let platform: Platform = text.parse().unwrap();
            assert_eq!(platform.to_string().parse(), Ok(platform), "{text}");
        }
    }

    #[test]
    fn a_platform_in_full_has_a_slash() {
        for (text, is_full) in [("linux/amd64", true), ("amd64", false), ("linux", false)] {
            assert_eq!(Platform::in_full(text).is_ok(), is_full, "{text}");
        }
    }

    #[test]
    fn refuses_what_containerd_refuses() {
        for text in [
            "",
            "/",
            "*",
            "linux/*",
            "*/arm64",
            "/linux/arm",
            "linux/arm/",
            "linux/",
            "/amd64",
            "linux /arm",
            "linux/&arm",
            "linux/am d64",
            "linux/arm/foo/bar",
            "plan10",
            "z81",
            "v8",
            "arm64(1)",
            "li.nux/arm",
            "linux(1/arm",
            "linux(1)x/arm",
            "linux(1(2))/arm",
            "linux(+)/arm",
            "linux(1++x)/arm",
            "linux(%)/arm",
            "linux(%2)/arm",
            "linux(%zz)/arm",
            "linux(%ff)/arm",
            "linux(1 2)/arm",
        ] {
            assert!(text.parse::<Platform>().is_err(), "{text:?}");
        }
    }
}
