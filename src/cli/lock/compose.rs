//! `hocker lock compose`: the images of a Compose file's services.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::super::args::lock::ComposeArgs;
use super::super::environment::{self, var_set};
use super::super::{Context, Error, report, stdout};
use super::add::{self, Additions, parse};
use super::error::LockError;
use super::file::LockFile;
use crate::compose::{self, Images, MAX_FILE_SIZE, Service, Value, Variables, dotenv};
use crate::endpoint::Endpoint;
use crate::input;
use crate::output::parent;
use crate::platform::Platform;
use crate::printable::Printable;
use crate::reference::Reference;

pub(super) async fn run(args: ComposeArgs, path: &Path, context: &Context) -> Result<(), Error> {
    let images = read(&args)?;
    for note in &images.notes {
        report::note(&Printable::new(note));
    }
    if args.images {
        let mut names = Vec::new();
        for service in &images.services {
            reference_of(service)?;
            names.push(&*service.image);
        }
        names.sort_unstable();
        names.dedup();
        let lines = names.join("\n") + if names.is_empty() { "" } else { "\n" };
        return stdout::write(lines.as_bytes());
    }
    let file = LockFile::read_or_begin(path)?;
    let mut additions = Additions::to(&file.lock, false);
    let chosen = &args.platforms.platform;
    for service in &images.services {
        let (reference, endpoint) = reference_of(service)?;
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
    let text_of = |name: &str| lookup(name).map(|value| value.text);
    let mut profiles = args.profile.clone();
    if profiles.is_empty() {
        let named = text_of(environment::COMPOSE_PROFILES).unwrap_or_default();
        profiles.extend(named.split(',').map(|name| name.trim().to_owned()));
    }
    compose::images(&text, &profiles, &lookup)
        .map_err(|source| LockError::Compose { what, source }.into())
}

/// The image of a service. What is no reference is neither printed nor asked for.
fn reference_of(service: &Service) -> Result<(Reference, Endpoint), Error> {
    match parse(&service.image, None) {
        Err(Error::Reference { source, .. }) => Err(LockError::Service {
            name: Printable::new(&service.name),
            written: Printable::new(&service.written),
            source: (service.image == service.written).then_some(source),
        }
        .into()),
        outcome => outcome,
    }
}

/// The variables of the file that was named, else of the one beside the Compose file.
fn variables(args: &ComposeArgs, directory: &Path) -> Result<Variables, Error> {
    let (path, opened) = match &args.env_file {
        // Process substitution makes pipes.
        Some(path) => (path.clone(), File::open(path)),
        None => {
            let path = directory.join(".env");
            let opened = within(&path, directory).and_then(|real| input::open(&real));
            (path, opened)
        }
    };
    let what = path.display().to_string();
    let text = match opened {
        Ok(file) => read_text(&what, file)?,
        Err(error) if args.env_file.is_none() && error.kind() == io::ErrorKind::NotFound => {
            return Ok(Variables::new());
        }
        Err(source) => return Err(Error::Input { what, source }),
    };
    dotenv::parse(&text, &of_environment)
        .map_err(|source| LockError::Dotenv { path, source }.into())
}

/// Where `path` leads, which must be in `directory`: whoever makes a project must not have other files of its users
/// read, and told to registries.
fn within(path: &Path, directory: &Path) -> io::Result<PathBuf> {
    let real = path.canonicalize()?;
    if real.starts_with(directory.canonicalize()?) {
        Ok(real)
    } else {
        Err(io::Error::other("it leads out of the project's directory"))
    }
}

fn of_environment(name: &str) -> Option<Value> {
    var_set(name).map(|text| Value::of(name, text))
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
