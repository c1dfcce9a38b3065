//! `hocker lock list`: list the images in a table.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::super::args::lock::ListArgs;
use super::super::{Error, stdout};
use super::abbreviated::abbreviated;
use super::file::LockFile;
use super::table::table;
use hocker::lock::{Lock, LockedImage, LockedPlatform, Pattern};
use hocker::name::Tag;
use hocker::oci::platform::Platform;
use hocker::oci::timestamp::Timestamp;
use hocker::printable::Printable;
use hocker::size::Size;

pub(super) fn run(args: &ListArgs, path: &Path) -> Result<(), Error> {
    let lock = LockFile::read(path)?.lock;
    if args.json {
        stdout::write(format!("{:#}\n", json(&lock)).as_bytes())
    } else {
        stdout::lines(&image_table(&lock))
    }
}

fn image_table(lock: &Lock) -> Vec<Printable> {
    let headings = [
        "NAME",
        "IMAGE",
        "TAG",
        "DIGEST",
        "PLATFORMS",
        "LAYERS",
        "SIZE",
        "AGE",
    ];
    let mut rows = vec![headings.map(str::to_owned).to_vec()];
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now
        .ok()
        .and_then(|now| i64::try_from(now.as_secs()).ok())
        .unwrap_or(0);
    for (name, image) in &lock.images {
        let reference = image.reference();
        let tag = match (&reference.tag, image.is_pinned()) {
            (Some(tag), false) => match &image.following().pattern {
                Some(pattern) => format!("{tag} ({pattern})"),
                None => tag.to_string(),
            },
            (Some(tag), true) => format!("{tag} (pinned)"),
            (None, _) => "(pinned)".to_owned(),
        };
        let platforms: Vec<_> = image.platforms().keys().map(ToString::to_string).collect();
        let shown = shown(image);
        rows.push(vec![
            name.to_string(),
            reference.familiar_name(),
            tag,
            image.digest().as_ref().map(abbreviated).unwrap_or_default(),
            platforms.join(" "),
            shown
                .map_or(0, |locked| locked.manifest.layers.len())
                .to_string(),
            Size(shown.map_or(0, LockedPlatform::size)).to_string(),
            shown
                .and_then(|locked| locked.created.as_ref())
                .map_or("-".to_owned(), |created| age(created, now)),
        ]);
    }
    table(&rows, &[5, 6])
}

/// Returns the image for this machine's platform, else for the first platform.
fn shown(image: &LockedImage) -> Option<&LockedPlatform> {
    let platforms = image.platforms();
    platforms
        .get(&Platform::of_this_machine())
        .or_else(|| platforms.values().next())
}

/// Formats an age in the largest unit of which it has at least two.
fn age(created: &Timestamp, now: i64) -> String {
    if !created.is_meaningful() {
        return "-".to_owned();
    }
    let minutes = (now - created.seconds()).max(0) / 60;
    let units = [
        ("year", 365 * 24 * 60),
        ("month", 30 * 24 * 60),
        ("week", 7 * 24 * 60),
        ("day", 24 * 60),
        ("hour", 60),
    ];
    let fits = units.iter().find(|(_, length)| minutes >= 2 * length);
    let (unit, length) = fits.unwrap_or(&("minute", 1));
    let number = minutes / length;
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{plural}")
}

fn json(lock: &Lock) -> Value {
    let images = lock.images.iter().map(|(name, image)| {
        let platforms = image.platforms().iter().map(|(platform, locked)| {
            let value = json!({
                "manifest": locked.manifest.digest(),
                "config": locked.manifest.config.digest,
                "created": locked.created,
                "layers": locked.manifest.layers.len(),
                "size": locked.size(),
            });
            (platform.to_string(), value)
        });
        let reference = image.reference();
        let following = image.following();
        let pending = following.pending.iter().map(|pending| {
            json!({
                "tag": pending.tag.as_str(),
                "digest": pending.digest,
                "firstSeen": pending.first_seen,
            })
        });
        json!({
            "name": name.as_str(),
            "reference": reference.to_string(),
            "tag": reference.tag.as_ref().map(Tag::as_str),
            "pinned": image.is_pinned(),
            "follow": following.pattern.as_ref().map(Pattern::as_str),
            "minAge": age_of(lock, image),
            "pending": pending.collect::<Vec<_>>(),
            "digest": image.digest(),
            "signer": image.signer().map(|signer| signer.signer.to_string()),
            "platforms": platforms.collect::<serde_json::Map<_, _>>(),
        })
    });
    Value::Array(images.collect())
}

/// Returns the age that counts for an image; `None` if nothing waits.
fn age_of(lock: &Lock, image: &LockedImage) -> Option<String> {
    let age = lock.min_age(image);
    (!age.is_none()).then(|| age.to_string())
}

#[cfg(test)]
mod tests {
    use super::age;

    #[test]
    fn ages_are_in_a_unit_that_fits() {
        let now = 1_800_000_000;
        let day = 24 * 60 * 60;
        for (created, text) in [
            ("2027-01-15T07:59:00Z", "1 minute"),
            ("2027-01-15T08:00:30Z", "0 minutes"),
            ("2027-01-15T06:00:00Z", "2 hours"),
            ("2027-01-01T08:00:00Z", "2 weeks"),
            ("2026-11-15T08:00:00Z", "2 months"),
            ("2014-11-15T08:00:00Z", "12 years"),
            ("1970-01-01T00:00:00Z", "-"),
        ] {
            assert_eq!(age(&created.parse().unwrap(), now), text, "{created}");
        }
        assert_eq!(
            age(&"2027-01-15T08:00:00Z".parse().unwrap(), now + 10 * day),
            "10 days"
        );
    }
}
