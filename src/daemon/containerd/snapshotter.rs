//! The snapshotter, which keeps the unpacked layers.

use super::error::Error;
use super::messages::Plugin;
use crate::oci::platform::Platform;
use crate::printable::Printable;

/// The first part of the names of directories in which containerd's snapshotters keep their data.
const DIRECTORY: &str = "io.containerd.snapshotter.v1.";

/// Returns the name of the snapshotter that keeps its data in this directory. A snapshotter that is another process need
/// not report it; Kubernetes' runtime interface then names the usual one.
///
/// Source: containerd 1.6, `pkg/cri/server/service.go` (`imageFSPath`), and 2.1, `plugins/cri/images/plugin.go`.
pub(super) fn of_directory<'a>(plugins: &'a [Plugin], directory: &str) -> Option<&'a str> {
    let is_there = |plugin: &&Plugin| {
        plugin
            .exports
            .get("root")
            .is_some_and(|root| root == directory)
    };
    let usual = directory.rsplit('/').next()?.strip_prefix(DIRECTORY);
    let is_usual = |plugin: &&Plugin| usual == Some(plugin.id.as_str());
    let mut all = plugins.iter();
    let found = all.clone().find(is_there).or_else(|| all.find(is_usual));
    found.map(|plugin| plugin.id.as_str())
}

/// Returns the platform for which a snapshotter unpacks images. Fails if `plugins`, all snapshotters of containerd, have
/// none of this name that works.
pub(super) fn platform_of(plugins: &[Plugin], name: &str) -> Result<Platform, Error> {
    let works = |plugin: &&Plugin| plugin.error.is_none();
    let found = plugins.iter().find(|plugin| plugin.id == name);
    let Some(plugin) = found.filter(works) else {
        let problem = found.and_then(|plugin| plugin.error.as_ref());
        return Err(Error::Snapshotter {
            name: Printable::new(name),
            problem: problem.map(|error| Printable::new(&error.message)),
            others: plugins
                .iter()
                .filter(works)
                .map(|plugin| Printable::new(&plugin.id))
                .collect(),
        });
    };
    let platform = plugin.platforms.first().map(|platform| {
        Platform {
            os: platform.os.clone(),
            architecture: platform.architecture.clone(),
            variant: Some(platform.variant.clone()),
            ..Platform::default()
        }
        .normalised()
    });
    Ok(platform.unwrap_or_else(Platform::of_this_machine))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::super::messages::{self, PluginError};
    use super::*;

    fn plugin(id: &str, root: Option<&str>) -> Plugin {
        let root = root.map(|root| ("root".to_owned(), root.to_owned()));
        Plugin {
            id: id.to_owned(),
            exports: root.into_iter().collect::<HashMap<_, _>>(),
            ..Plugin::default()
        }
    }

    #[test]
    fn a_snapshotter_is_known_by_its_directory() {
        let plugins = [
            plugin("native", Some("/data/io.containerd.snapshotter.v1.native")),
            plugin("overlayfs", Some("/elsewhere")),
            plugin("stargz", None),
        ];
        for (directory, name) in [
            ("/elsewhere", Some("overlayfs")),
            ("/data/io.containerd.snapshotter.v1.native", Some("native")),
            ("/run/io.containerd.snapshotter.v1.stargz", Some("stargz")),
            ("/run/io.containerd.snapshotter.v1.zfs", None),
            ("/run/stargz", None),
            ("", None),
        ] {
            assert_eq!(of_directory(&plugins, directory), name, "{directory}");
        }
    }

    #[test]
    fn a_snapshotter_has_the_platform_of_the_machine_with_its_variant() {
        let mut plugins = [plugin("overlayfs", None), plugin("zfs", None)];
        plugins[0].platforms.push(messages::Platform {
            os: "linux".to_owned(),
            architecture: "arm".to_owned(),
            variant: "v6".to_owned(),
        });
        plugins[1].error = Some(PluginError {
            message: "no zfs".to_owned(),
        });
        let platform = platform_of(&plugins, "overlayfs").unwrap();
        assert_eq!(platform.to_string(), "linux/arm/v6");
        let error = platform_of(&plugins, "zfs").unwrap_err().to_string();
        assert!(error.contains("(no zfs); it has overlayfs"), "{error}");
    }
}
