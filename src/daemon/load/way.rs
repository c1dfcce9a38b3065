//! The ways in which an image gets into a daemon, and why it is sent as an archive. `--verbose` prints both.

use std::fmt;

use crate::causes;
use crate::printable::Printable;

/// Why the image is sent as an archive.
#[derive(Debug)]
pub enum WhyArchive {
    /// Docker's own store gets an archive without the layers that it has.
    OwnStore,
    /// The image has no name, and the daemon would lose it with the temporary name.
    NoName,
    /// The daemon runs on another machine, or hides where it runs.
    Elsewhere,
    /// The image cannot be served.
    NotServed(Printable),
    /// The daemon did not take the image in another way.
    Refused(Printable),
}

impl fmt::Display for WhyArchive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OwnStore => f.write_str("Docker's own image store takes a part of an archive"),
            Self::NoName => f.write_str("the image has no name"),
            Self::Elsewhere => f.write_str("the daemon does not report this machine's name"),
            Self::NotServed(why) => write!(f, "cannot serve the image: {why}"),
            Self::Refused(why) => why.fmt(f),
        }
    }
}

/// The way in which an image gets into a daemon.
#[derive(Debug)]
pub enum Way {
    /// The daemon fetches it from this port of 127.0.0.1.
    Pull(u16),
    /// It is sent as an archive.
    Archive(WhyArchive),
    /// The lowest layer is sent by itself, and the rest as an archive.
    LowestLayer,
    /// containerd gets the blobs that it lacks.
    Blobs,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pull(port) => write!(f, "the daemon fetches what it lacks from 127.0.0.1:{port}"),
            Self::Archive(why) => write!(f, "sending an archive: {why}"),
            Self::LowestLayer => f.write_str(
                "sending the lowest layer by itself, which the daemon unpacks while it arrives, and an archive of the rest",
            ),
            Self::Blobs => f.write_str("sending the blobs that containerd lacks"),
        }
    }
}

/// Returns the text of an error and its causes in one line.
pub(super) fn line(error: &dyn std::error::Error) -> Printable {
    Printable::new(&causes::line(error))
}
