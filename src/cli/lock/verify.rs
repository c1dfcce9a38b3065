//! `hocker lock verify`: verify the signatures of locked images, without the network.

use std::path::Path;

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::super::args::lock::VerifyArgs;
use super::super::{Error, report, stdout};
use super::abbreviated::abbreviated;
use super::changes;
use super::each::failure;
use super::file::LockFile;
use super::signing::Signing;
use super::table::table;
use hocker::lock::{LockedImage, Name};
use hocker::signature::Signature;

pub(super) fn run(args: &VerifyArgs, path: &Path) -> Result<(), Error> {
    let file = LockFile::read(path)?;
    let mut images = file.chosen(&args.names)?;
    if args.names.is_empty() {
        images.retain(|(_, image)| image.signer().is_some());
    }
    let signing = Signing::of(path);
    let mut verified = Vec::new();
    let mut failures = Vec::new();
    for (name, image) in images {
        match signing.verify(image) {
            Ok(signatures) => verified.push((name, image, signatures)),
            Err(error) => failures.push(failure("verify", name.clone(), image.reference(), error)),
        }
    }
    if args.json {
        let failed = failures.iter().map(
            |(name, error)| json!({"name": name.as_str(), "error": report::line(error).as_str()}),
        );
        let document = json!({
            "verified": verified.iter().map(as_json).collect::<Vec<_>>(),
            "failed": failed.collect::<Vec<_>>(),
        });
        stdout::write(format!("{document:#}\n").as_bytes())?;
    } else {
        let headings = ["NAME", "DIGEST", "SIGNER", "ISSUER", "SIGNED"];
        let mut rows = vec![headings.map(str::to_owned).to_vec()];
        rows.extend(verified.iter().map(row));
        stdout::lines(&table(&rows, &[]))?;
    }
    changes::failed(failures)
}

/// An image with its signatures.
type Verified<'a> = (&'a Name, &'a LockedImage, Vec<Signature>);

fn row((name, image, signatures): &Verified<'_>) -> Vec<String> {
    let signature = signatures.first();
    let of_signature = |value: Option<&String>| value.map_or("-", String::as_str).to_owned();
    vec![
        name.to_string(),
        image.digest().as_ref().map(abbreviated).unwrap_or_default(),
        match (
            signature.and_then(|one| one.identity.as_ref()),
            image.signer(),
        ) {
            (Some(identity), _) => identity.clone(),
            (None, Some(signer)) => signer.signer.to_string(),
            (None, None) => "(not required)".to_owned(),
        },
        of_signature(signature.and_then(|one| one.issuer.as_ref())),
        signature
            .and_then(|one| one.time)
            .map_or("-".to_owned(), date),
    ]
}

fn as_json((name, image, signatures): &Verified<'_>) -> Value {
    let signatures = signatures.iter().map(|signature| {
        json!({
            "identity": signature.identity,
            "issuer": signature.issuer,
            "time": signature.time,
        })
    });
    json!({
        "name": name.as_str(),
        "reference": image.reference().to_string(),
        "digest": image.digest(),
        "required": image.signer().map(|signer| signer.signer.to_string()),
        "signatures": signatures.collect::<Vec<_>>(),
    })
}

/// Returns the date of a time in seconds since the start of 1970 (UTC).
fn date(seconds: i64) -> String {
    OffsetDateTime::from_unix_timestamp(seconds).map_or("-".to_owned(), |time| {
        let month = u8::from(time.month());
        format!("{:04}-{month:02}-{:02}", time.year(), time.day())
    })
}
