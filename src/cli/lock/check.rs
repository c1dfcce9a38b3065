//! `hocker lock check`: check whether tags have moved. While no tag has moved, it sends only HEAD requests.

use std::path::Path;

use serde_json::json;

use super::super::args::lock::CheckArgs;
use super::super::{Context, Error, report, stdout};
use super::add::{chosen, failure};
use super::changes;
use super::each;
use super::error::LockError;
use super::file::LockFile;
use hocker::pin;
use hocker::printable::Printable;

pub(super) async fn run(args: CheckArgs, path: &Path, context: &Context) -> Result<(), Error> {
    let file = LockFile::read(path)?;
    let mut images = chosen(&file.lock, &args.names, path)?;
    let all = images.len();
    // A digest never moves, so its registry needs no request.
    images.retain(|(_, image)| !image.is_pinned());
    let found = each::of_locked(
        images,
        args.credentials,
        context,
        async |image, registry| Ok(pin::digest(image, registry).await?),
    )
    .await?;
    let mut moved = Vec::new();
    let mut failures = Vec::new();
    for (name, image, found) in found {
        match found {
            Ok(now) if Some(now) == image.digest() => {}
            Ok(now) => moved.push((name, image, now)),
            Err(error) => failures.push(failure("check", name.clone(), image.reference(), error)),
        }
    }
    for (name, image, now) in &moved {
        let short = |digest: Option<_>| {
            digest
                .as_ref()
                .map(changes::abbreviated)
                .unwrap_or_default()
        };
        let (from, to) = (short(image.digest()), short(Some(*now)));
        report::note(&Printable::new(&format!(
            "{name} ({}): {from} → {to}",
            image.reference()
        )));
    }
    if args.json {
        let moved = moved.iter().map(|(name, image, now)| {
            json!({
                "name": name.as_str(),
                "reference": image.reference().to_string(),
                "from": image.digest(),
                "to": now,
            })
        });
        let failed = failures.iter().map(
            |(name, error)| json!({"name": name.as_str(), "error": report::line(error).as_str()}),
        );
        let document = json!({
            "moved": moved.collect::<Vec<_>>(),
            "failed": failed.collect::<Vec<_>>(),
        });
        stdout::write(format!("{document:#}\n").as_bytes())?;
    }
    let failed = changes::failed(failures);
    if moved.is_empty() {
        return failed;
    }
    let moved = Error::from(LockError::Moved {
        moved: moved.len(),
        all,
    });
    // A moved tag is the answer of this command, so it decides the exit code over failures that may be transient.
    match failed {
        Err(Error::Several(mut errors)) => {
            errors.push(moved);
            Err(Error::Several(errors))
        }
        _ => Err(moved),
    }
}
