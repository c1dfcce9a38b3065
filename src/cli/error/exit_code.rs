//! The exit code of each error.

use std::io;

use super::Error;
use crate::cli::exit::Exit;
use hocker::pull;

impl Error {
    /// Returns the exit code.
    #[must_use]
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Reference { .. }
            | Self::Endpoint(_)
            | Self::Environment { .. }
            | Self::PasswordMissing
            | Self::TwoFromStdin
            | Self::RegistryOfPath
            | Self::TagsOfSeveral { .. }
            | Self::NameOfReference
            | Self::ForceDirectory
            | Self::MountPointsOfFormat
            | Self::DirectoryToStdout => Exit::Usage,
            #[cfg(feature = "containerd")]
            Self::OnlyContainerd(_) => Exit::Usage,
            Self::Denial(denial) => denial.error.exit(),
            Self::Pin(error) => error.class().into(),
            Self::Lock(error) => error.exit(),
            Self::Diff(error) => error.exit(),
            Self::LockedImage { source, .. } => source.exit(),
            Self::Several(errors) => {
                let mut exits = errors.iter().map(Self::exit);
                let first = exits.next().unwrap_or(Exit::Other);
                if exits.all(|exit| exit == first) {
                    first
                } else {
                    Exit::Other
                }
            }
            Self::Registry(error) => error.class().into(),
            Self::AllLocations(error) => error.class().into(),
            Self::Document { source, .. } => source.class().into(),
            Self::Expression(_) => Exit::Unsupported,
            Self::StoredImage(error) => error.class().into(),
            Self::Images(error) => error.class().into(),
            Self::BuildImage(error) => error.class().into(),
            Self::BuildStore(error) => error.class().into(),
            Self::Daemon(error) => error.class().into(),
            Self::Prune(error) => error.class().into(),
            Self::Load { source, .. } => source.class().into(),
            Self::Erofs { source, .. } => source.class().into(),
            #[cfg(target_os = "linux")]
            Self::Mount(error) => error.class().into(),
            #[cfg(target_os = "linux")]
            Self::NoCache => Exit::Usage,
            Self::Rootfs { source, .. } => source.class().into(),
            Self::Service { source, .. } => source.class().into(),
            Self::Output(error) if error.is_closed_pipe() => Exit::Done,
            Self::Stdout(source) if is_closed(source) => Exit::Done,
            Self::Pull(pull::Error::Archive { source, .. })
                if source.io().is_some_and(is_closed) =>
            {
                Exit::Done
            }
            Self::Pull(error) => error.class().into(),
            Self::Composite(source) if source.io().is_some_and(is_closed) => Exit::Done,
            Self::Composite(source) => source.class().into(),
            Self::Build(error) | Self::AlsoOnDisk(error) => error.exit(),
            Self::Interrupted(signal) => Exit::Signal(u8::try_from(*signal).unwrap_or(0)),
            Self::Credentials(_)
            | Self::Roots(_)
            | Self::Http(_)
            | Self::Server(_)
            | Self::DaemonContext(_)
            | Self::Output(_)
            | Self::Job(_)
            | Self::Stdout(_)
            | Self::Input { .. }
            | Self::Runtime(_)
            | Self::Task(_) => Exit::Other,
        }
    }
}

/// Whether the reader closed the pipe.
fn is_closed(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe
}
