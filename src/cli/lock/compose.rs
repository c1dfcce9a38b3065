//! `hocker lock compose`: the images of a Compose file's services.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::super::args::lock::ComposeArgs;
use super::super::environment::{self, var_set};
use super::super::{Context, Error, report, stdout};
use super::add::{self, Additions, parse};
use super::error::LockError;
use super::file::LockFile;
use crate::compose::{self, Images, MAX_FILE_SIZE, dotenv};
use crate::output::parent;
use crate::platform::Platform;
use crate::printable::Printable;

pub(super) async fn run(args: ComposeArgs, path: &Path, context: &Context) -> Result<(), Error> {
    let images = read(&args)?;
    for note in &images.notes {
        report::note(&Printable::new(note));
    }
    if args.images {
        let mut names: Vec<_> = images
            .services
            .iter()
            .map(|service| &*service.image)
            .collect();
        names.sort_unstable();
        names.dedup();
        let lines = names.join("\n") + if names.is_empty() { "" } else { "\n" };
        return stdout::write(lines.as_bytes());
    }
    let file = LockFile::read_or_begin(path)?;
    let mut additions = Additions::to(&file.lock, false);
    let chosen = &args.platforms.platform;
    for service in &images.services {
        let (reference, endpoint) = parse(&service.image, None)?;
        if let Some(platform) = &service.platform {
            let wanted = platform.parse::<Platform>().ok();
            if !wanted.is_some_and(|wanted| chosen.contains(&wanted)) {
                report::note(&Printable::new(&format!(
                    "{} wants {platform}, which --platform may name",
                    service.name
                )));
            }
        }
        // What is locked stays as it is: `update` follows it.
        if !additions.is_locked(&reference, &endpoint, chosen) {
            additions.push(None, reference, endpoint)?;
        }
    }
    let additions = additions.list.into_values().collect();
    add::lock(
        file,
        additions,
        chosen,
        args.tell,
        args.credentials,
        context,
    )
    .await
}

fn read(args: &ComposeArgs) -> Result<Images, Error> {
    let what = args.file.display().to_string();
    let from_stdin = args.file.as_os_str() == "-";
    let text = if from_stdin {
        read_text("the Compose file on standard input", io::stdin().lock())?
    } else {
        let file = File::open(&args.file).map_err(|source| Error::Input {
            what: what.clone(),
            source,
        })?;
        read_text(&what, file)?
    };
    let directory = if from_stdin {
        Path::new(".")
    } else {
        parent(&args.file)
    };
    let variables = variables(args, directory)?;
    let lookup = |name: &str| of_environment(name).or_else(|| variables.get(name).cloned());
    let mut profiles = args.profile.clone();
    if profiles.is_empty() {
        let named = lookup(environment::COMPOSE_PROFILES).unwrap_or_default();
        profiles.extend(named.split(',').map(|name| name.trim().to_owned()));
    }
    compose::images(&text, &profiles, &lookup)
        .map_err(|source| LockError::Compose { what, source }.into())
}

/// The variables of the file that was named, else of the one beside the Compose file.
fn variables(args: &ComposeArgs, directory: &Path) -> Result<BTreeMap<String, String>, Error> {
    let path = match &args.env_file {
        Some(path) => path.clone(),
        None => directory.join(".env"),
    };
    let what = path.display().to_string();
    let text = match File::open(&path) {
        Ok(file) => read_text(&what, file)?,
        Err(error) if args.env_file.is_none() && error.kind() == io::ErrorKind::NotFound => {
            return Ok(BTreeMap::new());
        }
        Err(source) => return Err(Error::Input { what, source }),
    };
    dotenv::parse(&text, &of_environment)
        .map_err(|source| LockError::Dotenv { path, source }.into())
}

/// A Compose file may ask for any variable, and what it makes of it is told to registries; so not for passwords.
fn of_environment(name: &str) -> Option<String> {
    let is_secret = [environment::DOCKER_PASS, environment::DOCKER_TOKEN].contains(&name);
    (!is_secret).then(|| var_set(name))?
}

fn read_text(what: &str, input: impl Read) -> Result<String, Error> {
    let mut text = String::new();
    input
        .take(MAX_FILE_SIZE as u64 + 1)
        .read_to_string(&mut text)
        .map_err(|source| Error::Input {
            what: what.to_owned(),
            source,
        })?;
    Ok(text)
}
