//! The answers of a daemon, as JSON and in headers, reduced to the fields that hocker uses.

use serde::Deserialize;

use crate::oci::digest::{DiffId, Digest};

/// The newest version of the API that hocker uses. Older daemons get requests in their own version.
pub(super) const NEWEST_API: ApiVersion = ApiVersion(1, 45);
/// The oldest supported version: Docker 1.12, of 2016.
pub(super) const OLDEST_API: ApiVersion = ApiVersion(1, 24);
/// The first Docker whose own image store reads layers in zstd (moby, `pkg/archive`).
const FIRST_WITH_ZSTD: u32 = 23;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ApiVersion(pub(super) u32, pub(super) u32);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Version {
    #[serde(rename = "Version", default)]
    pub(super) engine: String,
    #[serde(default)]
    pub(super) os: String,
    #[serde(default)]
    pub(super) arch: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Info {
    /// The name of the daemon's machine.
    #[serde(default)]
    name: String,
    #[serde(default)]
    driver_status: Option<Vec<Vec<String>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Inspected {
    pub(super) id: Digest,
    #[serde(default)]
    pub(super) repo_tags: Option<Vec<String>>,
    #[serde(default)]
    pub(super) repo_digests: Option<Vec<String>>,
    #[serde(rename = "RootFS", default)]
    pub(super) root_fs: RootFs,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RootFs {
    #[serde(default)]
    pub(super) layers: Option<Vec<DiffId>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed {
    pub(super) id: Digest,
}

#[derive(Deserialize)]
pub(super) struct Container {
    #[serde(rename = "ImageID")]
    pub(super) image_id: String,
}

/// The body of an answer whose status is a failure.
#[derive(Deserialize)]
pub(super) struct Failure {
    pub(super) message: String,
}

impl ApiVersion {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once('.')?;
        Some(Self(major.parse().ok()?, minor.parse().ok()?))
    }
}

impl Info {
    /// Returns whether the daemon runs on the machine `name`, and not on another machine whose socket is forwarded or
    /// in a virtual machine.
    pub(super) fn is_of_machine(&self, name: &str) -> bool {
        !name.is_empty() && self.name == name
    }

    /// Returns whether containerd is the image store, from the same field that `docker info` shows.
    pub(super) fn uses_containerd(&self) -> bool {
        self.driver_status.iter().flatten().any(|row| {
            matches!(row.as_slice(), [key, value, ..]
                if key == "driver-type" && value.starts_with("io.containerd.snapshotter"))
        })
    }
}

/// Returns whether this version of Docker reads zstd. A version that is not a number belongs to a build from recent
/// sources.
pub(super) fn reads_zstd(version: &str) -> bool {
    let major = version.split('.').next().unwrap_or_default();
    major
        .parse::<u32>()
        .map_or(true, |major| major >= FIRST_WITH_ZSTD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(ApiVersion::parse("1.9") < ApiVersion::parse("1.24"));
        for text in ["", "1", "1.x", "v1.41"] {
            assert_eq!(ApiVersion::parse(text), None, "{text}");
        }
    }

    #[test]
    fn zstd_is_read_from_docker_23_on() {
        for (version, reads) in [
            ("20.10.24+dfsg1", false),
            ("19.03.1", false),
            ("23.0.0", true),
            ("26.1.5+dfsg1", true),
            ("dev", true),
            ("", true),
        ] {
            assert_eq!(reads_zstd(version), reads, "{version}");
        }
    }

    #[test]
    fn a_machine_is_recognised_by_its_name() {
        for (answer, machine, is_same) in [
            (r#"{"Name":"here"}"#, "here", true),
            (r#"{"Name":"there"}"#, "here", false),
            (r#"{"Name":""}"#, "", false),
            ("{}", "here", false),
        ] {
            let info: Info = serde_json::from_str(answer).unwrap();
            assert_eq!(info.is_of_machine(machine), is_same, "{answer}");
        }
    }

    #[test]
    fn the_image_store_is_found_in_the_drivers_status() {
        for (status, containerd) in [
            (r#"[["driver-type","io.containerd.snapshotter.v1"]]"#, true),
            (
                r#"[["Backing Filesystem","extfs"],["userxattr","false"]]"#,
                false,
            ),
            ("[]", false),
            ("null", false),
        ] {
            let info: Info =
                serde_json::from_str(&format!(r#"{{"DriverStatus":{status}}}"#)).unwrap();
            assert_eq!(info.uses_containerd(), containerd, "{status}");
        }
    }
}
