//! The snapshotter, which keeps the unpacked layers.

use super::error::Error;
use super::messages::Plugin;
use crate::oci::platform::Platform;
use crate::printable::Printable;

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
            ..Platform::default()
        }
        .normalised()
    });
    Ok(platform.unwrap_or_else(Platform::of_this_machine))
}
