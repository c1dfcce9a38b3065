//! Which images a machine can run, and which of them is best.
//!
//! Source: containerd's `platforms`, `compare.go` and `platform_windows_compat.go`. One difference: a variant that
//! containerd does not know (`arm64/v8.10`) serves itself here.

use super::Platform;

/// The first Windows release whose containers run on later releases.
const WINDOWS_2022: u16 = 20348;
/// The next Windows release of this kind.
const WINDOWS_2025: u16 = 26100;

impl Platform {
    /// Returns how far an image for `offered` is from this machine's platform: 0 for the same platform, a larger number
    /// for a worse choice, `None` if the machine cannot run the image.
    #[must_use]
    pub fn distance_to(&self, offered: &Self) -> Option<usize> {
        let (wanted, offered) = (self.normalised(), offered.normalised());
        if wanted.system() != offered.system() || !runs_version(&wanted, &offered) {
            return None;
        }
        let missing = missing_features(&wanted, &offered)?;
        let steps = steps(&wanted, &offered)?;
        // Missing features count less than a different variant.
        Some(usize::from(steps) * (wanted.os_features.len() + 1) + missing)
    }

    fn system(&self) -> &str {
        if self.os.is_empty() {
            "linux"
        } else {
            &self.os
        }
    }
}

/// Returns the number of the machine's features that the image does not use. `None` if the image requires other
/// features.
fn missing_features(wanted: &Platform, offered: &Platform) -> Option<usize> {
    // containerd assumes that every Windows has this feature.
    let ignored = |feature: &&String| wanted.os == "windows" && *feature == "win32k";
    let needed = || {
        offered
            .os_features
            .iter()
            .filter(|feature| !ignored(feature))
    };
    let has_all = needed().all(|feature| wanted.os_features.contains(feature));
    let used = offered
        .os_features
        .iter()
        .filter(|feature| wanted.os_features.contains(feature));
    has_all.then(|| wanted.os_features.len() - used.count())
}

/// Returns whether a machine runs images for this version of the operating system. The version matters only on Windows.
fn runs_version(wanted: &Platform, offered: &Platform) -> bool {
    if wanted.os != "windows" {
        return true;
    }
    let wanted = wanted.os_version.as_deref().and_then(windows_version);
    let Some(host) = wanted.filter(|version| *version != (0, 0, 0)) else {
        return true;
    };
    let Some(offered) = offered.os_version.as_deref() else {
        return true;
    };
    let Some(guest) = windows_version(offered) else {
        return false;
    };
    if (host.0, host.1) != (guest.0, guest.1) {
        return false;
    }
    if host.2 < WINDOWS_2022 {
        return host.2 == guest.2;
    }
    let oldest = if host.2 > WINDOWS_2025 {
        WINDOWS_2025
    } else {
        WINDOWS_2022
    };
    (oldest..=host.2).contains(&guest.2)
}

/// Parses the major version, the minor version and the build number.
fn windows_version(text: &str) -> Option<(u8, u8, u16)> {
    let mut numbers = text.split('.');
    Some((
        number(numbers.next()?)?.try_into().ok()?,
        number(numbers.next()?)?.try_into().ok()?,
        number(numbers.next()?)?,
    ))
}

/// Returns how many better choices than `offered` can exist. `None` if `wanted` cannot run `offered`.
fn steps(wanted: &Platform, offered: &Platform) -> Option<u16> {
    let offered_variant = offered.variant.as_deref();
    let variant = wanted.variant.as_deref();
    if (&wanted.architecture, variant) == (&offered.architecture, offered_variant) {
        return Some(0);
    }
    match (wanted.architecture.as_str(), offered.architecture.as_str()) {
        ("amd64", "amd64") => lower(level(variant, 1)?, level(offered_variant, 1)?, 1),
        ("amd64", "386") if offered_variant.is_none() => Some(level(variant, 1).unwrap_or(1)),
        ("arm", "arm") => lower(level(variant, 0)?, level(offered_variant, 0)?, 5),
        ("arm64", "arm64") => arm64(arm64_version(variant)?, arm64_version(offered_variant)?),
        ("arm64", "arm") => {
            let newest = arm64_version(variant)?;
            let sixty_four_bits = arm64(newest, (8, 0))? + 1;
            let offered = level(offered_variant, 0)?;
            let thirty_two_bits = if offered == 8 {
                Some(0)
            } else {
                lower(8, offered, 5)
            };
            thirty_two_bits.map(|steps| sixty_four_bits + steps)
        }
        _ => None,
    }
}

/// Returns the steps down from one level to a lower one, if it is not below the lowest.
fn lower(wanted: u16, offered: u16, lowest: u16) -> Option<u16> {
    (lowest <= offered && offered < wanted).then(|| wanted - offered)
}

/// Parses the number of a variant such as `v7`. `without` is the level of a platform without a variant.
fn level(variant: Option<&str>, without: u16) -> Option<u16> {
    match variant {
        Some(variant) => number(variant.strip_prefix('v')?),
        None => Some(without),
    }
}

/// Parses digits without leading zeros, so that each number has one spelling.
fn number(text: &str) -> Option<u16> {
    let is_canonical = text == "0" || !text.starts_with('0');
    (is_canonical && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

/// Parses a version of the architecture. The valid versions are 8.0 to 8.9 and 9.0 to 9.7.
fn arm64_version(variant: Option<&str>) -> Option<(u16, u16)> {
    let Some(variant) = variant else {
        return Some((8, 0));
    };
    let (major, minor) = match variant.strip_prefix('v')?.split_once('.') {
        Some((major, minor)) => (number(major)?, number(minor).filter(|minor| *minor > 0)?),
        None => (number(variant.strip_prefix('v')?)?, 0),
    };
    match (major, minor) {
        (8, 0..=9) | (9, 0..=7) => Some((major, minor)),
        _ => None,
    }
}

/// Returns the steps down from one version to another. Version 9.x includes version 8.(x+5).
fn arm64(wanted: (u16, u16), offered: (u16, u16)) -> Option<u16> {
    if wanted.0 == offered.0 {
        return wanted.1.checked_sub(offered.1);
    }
    if (wanted.0, offered.0) != (9, 8) {
        return None;
    }
    let newest_8 = (wanted.1 + 5).min(9);
    let steps = newest_8.checked_sub(offered.1)?;
    Some(wanted.1 + 1 + steps)
}

#[cfg(test)]
mod tests;
