//! `hocker lock check`: check whether tags have moved. While nothing is new, it sends only HEAD requests, and lists tags
//! for images that follow a pattern.

use std::path::Path;

use serde_json::json;

use super::super::args::lock::CheckArgs;
use super::super::{Context, Error, report, stdout};
use super::available;
use super::changes;
use super::each::{self, failure};
use super::error::LockError;
use super::file::LockFile;
use super::signing::Signing;
use super::waits::{Waits, terms};
use hocker::lock::{LockedImage, Name};
use hocker::name::Tag;
use hocker::oci::digest::Digest;
use hocker::pin::{self, Terms};
use hocker::printable::Printable;

/// An image for which there is something to take.
struct Moved<'a> {
    name: &'a Name,
    image: &'a LockedImage,
    tag: Option<Tag>,
    digest: Digest,
}

pub(super) async fn run(args: CheckArgs, path: &Path, context: &Context) -> Result<(), Error> {
    if args.available {
        return available::run(args, path, context).await;
    }
    let file = LockFile::read(path)?;
    let mut images = file.chosen(&args.names)?;
    let all = images.len();
    // A digest never moves, so its registry needs no request.
    images.retain(|(_, image)| !image.is_pinned());
    let signing = Signing::of(path);
    let found = each::of_locked(
        images,
        |_, image| {
            let terms = terms(&file.lock, image, None);
            let verifier = signing.clock(image, &terms);
            Terms { verifier, ..terms }
        },
        args.credentials,
        context,
        async |image, registry, terms| Ok(pin::look(image, registry, terms).await?),
    )
    .await?;
    let mut moved = Vec::new();
    let mut failures = Vec::new();
    let mut waits = Waits::default();
    // Something that is new and has to wait changes the lock file, too.
    let mut changed = 0;
    for (name, image, found) in found {
        match found {
            Ok(news) => {
                changed += usize::from(news.changes(image));
                if let Some((tag, digest)) = news.take.clone() {
                    moved.push(Moved {
                        name,
                        image,
                        tag,
                        digest,
                    });
                }
                waits.push(name, news);
            }
            Err(error) => failures.push(failure("check", name.clone(), image.reference(), error)),
        }
    }
    for one in &moved {
        let reference = one.image.reference();
        report::note(&Printable::new(&changes::headline(
            one.name,
            reference,
            [reference.tag.as_ref(), one.tag.as_ref()],
            [one.image.digest(), Some(one.digest)],
        )));
    }
    waits.print();
    if args.json {
        print_json(&moved, &waits, &failures)?;
    }
    let answer = (changed > 0).then_some(LockError::Moved {
        moved: changed,
        all,
    });
    changes::answer(answer, failures)
}

fn print_json(moved: &[Moved<'_>], waits: &Waits, failures: &[(Name, Error)]) -> Result<(), Error> {
    let moved = moved.iter().map(|one| {
        let reference = one.image.reference();
        json!({
            "name": one.name.as_str(),
            "reference": reference.to_string(),
            "from": one.image.digest(),
            "to": one.digest,
            "fromTag": reference.tag.as_ref().map(Tag::as_str),
            "toTag": one.tag.as_ref().or(reference.tag.as_ref()).map(Tag::as_str),
        })
    });
    let failed = failures
        .iter()
        .map(|(name, error)| json!({"name": name.as_str(), "error": report::line(error).as_str()}));
    let [waiting, notices] = waits.json();
    let document = json!({
        "moved": moved.collect::<Vec<_>>(),
        waiting.0: waiting.1,
        notices.0: notices.1,
        "failed": failed.collect::<Vec<_>>(),
    });
    stdout::write(format!("{document:#}\n").as_bytes())
}
