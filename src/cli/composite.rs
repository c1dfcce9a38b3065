//! `hocker composite FILE`: what the first line of a `compositeImage.sh` starts.

use std::io;

use super::Error;
use super::args::CompositeArgs;
use crate::archive::docker_save;

pub(super) fn run(args: &CompositeArgs) -> Result<(), Error> {
    drop(docker_save::composite(&args.script, io::stdout().lock())?);
    Ok(())
}
