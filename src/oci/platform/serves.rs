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
mod tests {
    use super::*;

    fn distance(wanted: &str, offered: &str) -> Option<usize> {
        let parse = |text: &str| text.parse::<Platform>().unwrap();
        parse(wanted).distance_to(&parse(offered))
    }

    /// A machine, platforms that serve it, and platforms that do not.
    type Row = (
        &'static str,
        &'static [&'static str],
        &'static [&'static str],
    );

    const EVERY_ARM: [&str; 5] = [
        "linux/arm",
        "linux/arm/v5",
        "linux/arm/v6",
        "linux/arm/v7",
        "linux/arm/v8",
    ];

    fn check(rows: &[Row]) {
        for (wanted, serving, others) in rows {
            for offered in *serving {
                assert!(distance(wanted, offered).is_some(), "{wanted} {offered}");
            }
            for offered in *others {
                assert_eq!(distance(wanted, offered), None, "{wanted} {offered}");
            }
        }
    }

    /// The values of containerd's table.
    #[test]
    fn machines_are_served_by_what_containerd_serves_them_with() {
        check(&[
            (
                "linux/amd64",
                &["linux/amd64", "linux/386"],
                &[
                    "linux/amd64/v2",
                    "linux/arm/v7",
                    "linux/arm64",
                    "windows/amd64",
                    "windows/arm",
                ],
            ),
            (
                "linux/amd64/v2",
                &[
                    "linux/amd64",
                    "linux/amd64/v1",
                    "linux/amd64/v2",
                    "linux/386",
                ],
                &["linux/amd64/v3", "linux/amd64/v4", "linux/arm64"],
            ),
            (
                "linux/386",
                &["linux/386"],
                &["linux/amd64", "linux/arm/v7", "windows/amd64"],
            ),
            (
                "windows/amd64",
                &["windows/amd64", "windows(10.0.17763)/amd64"],
                &["linux/amd64", "windows/arm"],
            ),
            ("linux/arm/v8", &EVERY_ARM, &["linux/arm/v4", "linux/arm64"]),
            (
                "linux/arm/v7",
                &["linux/arm", "linux/arm/v5", "linux/arm/v6", "linux/arm/v7"],
                &["linux/arm/v4", "linux/arm/v8", "linux/arm64"],
            ),
            (
                "linux/arm/v6",
                &["linux/arm/v5", "linux/arm/v6"],
                &["linux/arm", "linux/arm/v4", "linux/arm/v7"],
            ),
            (
                "linux/arm/v5",
                &["linux/arm/v5"],
                &["linux/arm", "linux/arm/v4", "linux/arm/v6"],
            ),
            (
                "linux/arm/v4",
                &["linux/arm/v4"],
                &["linux/arm", "linux/arm/v5"],
            ),
        ]);
    }

    /// The values of containerd's table.
    #[test]
    fn machines_of_64_bit_arm_are_served_by_what_containerd_serves_them_with() {
        check(&[
            (
                "linux/arm64/v9.6",
                &[
                    "linux/arm64",
                    "linux/arm64/v8",
                    "linux/arm64/v8.1",
                    "linux/arm64/v8.9",
                    "linux/arm64/v9",
                    "linux/arm64/v9.0",
                    "linux/arm64/v9.1",
                    "linux/arm64/v9.6",
                    "linux/arm",
                    "linux/arm/v8",
                ],
                &[
                    "linux/arm64/v8.10",
                    "linux/arm64/v9.7",
                    "linux/arm/v4",
                    "linux/amd64",
                ],
            ),
            (
                "linux/arm64/v9",
                &[
                    "linux/arm64/v8.5",
                    "linux/arm64/v9",
                    "linux/arm64/v9.0",
                    "linux/arm/v5",
                ],
                &["linux/arm64/v8.6", "linux/arm64/v9.1", "linux/arm/v4"],
            ),
            (
                "linux/arm64/v8.1",
                &["linux/arm64", "linux/arm64/v8.1", "linux/arm/v5"],
                &["linux/arm64/v8.2", "linux/arm64/v9", "linux/arm/v9"],
            ),
            (
                "linux/arm64",
                &[
                    "linux/arm64",
                    "linux/arm64/v8.0",
                    "linux/arm",
                    "linux/arm/v5",
                ],
                &[
                    "linux/arm64/v8.1",
                    "linux/arm64/v9",
                    "linux/arm/v4",
                    "linux/arm/v9",
                    "linux/amd64",
                ],
            ),
            ("linux/arm64", &EVERY_ARM, &["windows/arm"]),
        ]);
    }

    #[test]
    fn what_is_nearer_is_preferred() {
        for (wanted, best_first) in [
            (
                "linux/amd64/v3",
                &[
                    "linux/amd64/v3",
                    "linux/amd64/v2",
                    "linux/amd64",
                    "linux/386",
                ][..],
            ),
            (
                "linux/arm/v7",
                &["linux/arm/v7", "linux/arm/v6", "linux/arm/v5"],
            ),
            (
                "linux/arm64/v9.1",
                &[
                    "linux/arm64/v9.1",
                    "linux/arm64/v9",
                    "linux/arm64/v8.6",
                    "linux/arm64/v8.1",
                    "linux/arm64",
                    "linux/arm/v8",
                    "linux/arm/v7",
                    "linux/arm/v5",
                ],
            ),
            (
                "linux(+af+other+zf)/amd64",
                &[
                    "linux(+af+other+zf)/amd64",
                    "linux(+af+zf)/amd64",
                    "linux(+other)/amd64",
                    "linux/amd64",
                    "linux(+other)/386",
                ],
            ),
        ] {
            let distances: Vec<_> = best_first
                .iter()
                .map(|offered| distance(wanted, offered).unwrap())
                .collect();
            assert!(
                distances.is_sorted_by(|a, b| a < b),
                "{wanted}: {distances:?}"
            );
            assert_eq!(distances.first(), Some(&0));
        }
    }

    #[test]
    fn an_image_that_needs_more_features_than_the_machine_has_does_not_run() {
        for (wanted, offered, runs) in [
            ("linux/amd64", "linux(+other)/amd64", false),
            ("linux(+none)/amd64", "linux(+other)/amd64", false),
            ("linux(+other)/amd64", "linux/amd64", true),
            ("linux(+f1+f2)/amd64", "linux(+f2)/amd64", true),
            ("linux(+f1)/amd64", "linux(+f1+f2)/amd64", false),
            ("windows/amd64", "windows(+win32k)/amd64", true),
            ("windows/amd64", "windows(+win32k+x)/amd64", false),
            ("linux/amd64", "linux(+win32k)/amd64", false),
        ] {
            assert_eq!(
                distance(wanted, offered).is_some(),
                runs,
                "{wanted} {offered}"
            );
        }
    }

    #[test]
    fn the_version_counts_on_windows_alone() {
        for (wanted, offered, runs) in [
            ("windows(10.0.17763)", "windows(10.0.17763.1)", true),
            ("windows(10.0.17763)", "windows", true),
            ("windows(10.0.17763)", "windows(10.0.17764)", false),
            ("windows(10.0.17763)", "windows(10.1.17763)", false),
            ("windows(10.0.17763)", "windows(new)", false),
            ("windows(new)", "windows(10.0.17763)", true),
            ("windows(10.0)", "windows(10.0.17763)", true),
            // Since Windows Server 2022, a release runs the containers of the previous one.
            ("windows(10.0.20348)", "windows(10.0.20348.169)", true),
            ("windows(10.0.20348)", "windows(10.0.17763)", false),
            ("windows(10.0.22000)", "windows(10.0.20348)", true),
            ("windows(10.0.22000)", "windows(10.0.22001)", false),
            ("windows(10.0.26100)", "windows(10.0.20348)", true),
            ("windows(10.0.26200)", "windows(10.0.26100)", true),
            ("windows(10.0.26200)", "windows(10.0.20348)", false),
            ("linux(7.2)", "linux(7.1)", true),
        ] {
            let on = |system: &str| format!("{system}/amd64");
            assert_eq!(
                distance(&on(wanted), &on(offered)).is_some(),
                runs,
                "{wanted} {offered}"
            );
        }
    }

    #[test]
    fn a_platform_serves_itself_whatever_it_is() {
        for text in [
            "linux/arm64/v8.10",
            "linux/arm64/v8.01",
            "linux/arm/v999999999999",
            "linux/amd64/vx",
            "plan10/z81",
            "windows(10.0.1.2+x)/amd64",
        ] {
            assert_eq!(distance(text, text), Some(0), "{text}");
        }
    }

    #[test]
    fn an_image_without_an_operating_system_is_for_linux() {
        let offered = Platform {
            architecture: "amd64".to_owned(),
            ..Platform::default()
        };
        assert_eq!(Platform::linux("amd64").distance_to(&offered), Some(0));
    }
}
