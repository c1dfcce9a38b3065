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
