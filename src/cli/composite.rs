//! `hocker composite FILE`: streams an image. The first line of a `compositeImage.sh` starts this command.

use std::io;

use super::Error;
use super::args::CompositeArgs;
use hocker::archive::composition::Composition;
use hocker::archive::docker_save;

pub(super) fn run(args: &CompositeArgs) -> Result<(), Error> {
    let composition = Composition::read_script(&args.script).map_err(docker_save::Error::from)?;
    drop(docker_save::write(&composition, io::stdout().lock())?);
    Ok(())
}
