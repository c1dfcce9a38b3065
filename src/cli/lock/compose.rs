//! `hocker lock compose`: pin the images of a Compose file's services and volumes.

use std::fs::File;
use std::io;
use std::path::Path;

use super::super::args::lock::ComposeArgs;
use super::super::environment::{self, Environment};
use super::super::{Context, Error, report, stdout};
use super::addition::{Addition, Additions};
use super::error::LockError;
use super::file::LockFile;
use super::named_image::NamedImage;
use super::pinning;
use super::pins;
use super::signing::{SignerChange, Signing};
use hocker::compose::{self, Directory, Images, Project as _, Value, Variables, dotenv};
use hocker::oci::platform::Platform;
use hocker::output::parent;
use hocker::printable::Printable;

/// The file with a project's variables, beside the Compose file.
const ENV_FILE: &str = ".env";

pub(super) async fn run(args: ComposeArgs, path: &Path, context: &Context) -> Result<(), Error> {
    let images = read(&args, &context.environment)?;
    for note in &images.notes {
        report::note(&Printable::new(note));
    }
    if args.images {
        let mut names = Vec::new();
        for named in named(&images) {
            named.reference()?;
            names.push(named.image);
        }
        names.sort_unstable();
        names.dedup();
        let lines = names.join("\n") + if names.is_empty() { "" } else { "\n" };
        return stdout::write(lines.as_bytes());
    }
    let file = LockFile::read_or_begin(path)?;
    let mut additions = Additions::to(&file.lock, false);
    let chosen = &args.platforms.platform;
    for named in named(&images) {
        let (reference, endpoint) = named.reference()?;
        if let Some(platform) = named.platform {
            let wanted = platform.parse::<Platform>().ok();
            if !wanted.is_some_and(|wanted| chosen.contains(&wanted)) {
                report::note(&Printable::new(&format!(
                    "the service {} is for {platform}; add --platform {platform} to pin it",
                    named.service
                )));
            }
        }
        // Locked images stay unchanged; `hocker lock update` follows their tags.
        if !additions.is_locked(&reference, &endpoint, chosen) {
            additions.push(None, Addition::of(reference, endpoint))?;
        }
    }
    let additions = additions.list.into_iter().collect();
    pinning::lock(
        file,
        additions,
        chosen,
        (Signing::of(path), SignerChange::Keep),
        args.changes,
        args.credentials,
        context,
    )
    .await?;
    match &args.override_file {
        Some(file) => pins::write(&images, &LockFile::read(path)?.lock, file, args.force),
        None => Ok(()),
    }
}

/// Returns the images of services, and then those of volumes.
fn named(images: &Images) -> impl Iterator<Item = NamedImage<'_>> {
    let services = images.services.iter().map(NamedImage::of_service);
    services.chain(images.volumes.iter().map(NamedImage::of_volume))
}

fn read(args: &ComposeArgs, environment: &Environment) -> Result<Images, Error> {
    let from_stdin = args.file.as_os_str() == "-";
    let (what, directory, text) = if from_stdin {
        let text = compose::read_text(io::stdin().lock());
        let what = "the Compose file on standard input".to_owned();
        (what, Path::new("."), text)
    } else {
        let text = File::open(&args.file).and_then(compose::read_text);
        (args.file.display().to_string(), parent(&args.file), text)
    };
    let text = text.map_err(|source| Error::Input {
        what: what.clone(),
        source,
    })?;
    let project = Directory::new(directory);
    let own = |name: &str| value(environment, name);
    let variables = variables(args.env_file.as_deref(), directory, &project, &own)?;
    let lookup = |name: &str| own(name).or_else(|| variables.get(name).cloned());
    let mut profiles = args.profile.clone();
    if profiles.is_empty() {
        let named = lookup(environment::COMPOSE_PROFILES).unwrap_or_default();
        profiles.extend(named.text.split(',').map(|name| name.trim().to_owned()));
    }
    compose::images(&text, &profiles, &lookup, &project)
        .map_err(|source| LockError::Compose { what, source }.into())
}

/// Reads the variables of the file that `--env-file` names, else of the `.env` beside the Compose file.
fn variables(
    named: Option<&Path>,
    directory: &Path,
    project: &Directory,
    own: &dyn Fn(&str) -> Option<Value>,
) -> Result<Variables, Error> {
    let (path, text) = match named {
        // This may be a pipe, from a shell's process substitution.
        Some(path) => (
            path.to_owned(),
            File::open(path).and_then(compose::read_text),
        ),
        None => (directory.join(ENV_FILE), project.read(ENV_FILE.as_ref())),
    };
    match text {
        Ok(text) => {
            dotenv::parse(&text, own).map_err(|source| LockError::Dotenv { path, source }.into())
        }
        Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => {
            Ok(Variables::new())
        }
        Err(source) => Err(Error::Input {
            what: path.display().to_string(),
            source,
        }),
    }
}

/// Returns the value of a variable of the environment.
fn value(environment: &Environment, name: &str) -> Option<Value> {
    environment.var_set(name).map(|text| Value::of(name, text))
}
