//! The choice of one image from a layout: by name, by digest, and by platform.
//!
//! Images are told apart by digest. A layout may list one image several times, once for each name. Entries for
//! artifacts, signatures and attestations are not images.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use super::images::{is_absent, is_artifact, is_document, only_image};
use super::{Error, MAX_NESTING, Selection};
use crate::archive::composition;
use crate::archive::names::Names;
use crate::archive::oci_layout::{ImageName, LayoutReader};
use crate::name::{ParseError, Reference};
use crate::oci::config::ImageConfig;
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::Digest;
use crate::oci::document::{Document, View};
use crate::oci::index::{Index, NoSuchPlatform, SelectError, Selected};
use crate::oci::manifest::Manifest;
use crate::oci::platform::Platform;

/// The largest number of documents in which a digest is searched.
const MAX_DOCUMENTS: usize = 10_000;

/// One image, or one index, that `index.json` lists.
struct Listed {
    entry: Descriptor,
    /// The names of all entries with this digest, without the entries that have no name.
    names: Vec<ImageName>,
    /// The annotations from which the names were read.
    texts: BTreeSet<String>,
}

/// An image of a layout.
pub(super) struct Chosen {
    /// The names of the image.
    pub(super) names: Names,
    /// The index that `index.json` lists for the image, if it names the manifest.
    pub(super) index: Option<Document<Index>>,
    pub(super) manifest: Document<Manifest>,
}

/// Returns the image that `selection` selects.
pub(super) fn choose(
    layout: &LayoutReader,
    path: &Path,
    selection: &Selection<'_>,
) -> Result<Chosen, Error> {
    let index = layout.index()?;
    let listed = list(layout, &index);
    let absent = || Error::NoImage {
        path: path.to_owned(),
        wanted: selection.name.map(str::to_owned),
    };
    if let Some(Ok(digest)) = selection.name.map(str::parse::<Digest>) {
        let (top, found) = find_digest(layout, &listed, &digest)?.ok_or_else(absent)?;
        let names = top.names()?;
        if found.media_type.is_index() {
            let (index, manifest) = descend(layout, path, index.with(vec![found]), selection)?.1;
            return Ok(Chosen {
                names,
                index,
                manifest,
            });
        }
        return Ok(Chosen {
            names,
            index: None,
            manifest: present(layout, &found)?,
        });
    }
    let chosen = named(&listed, selection.name);
    if chosen.is_empty() {
        return Err(absent());
    }
    let is_one_name = |listed: &&Listed| {
        let first = chosen.first().map(|first| &first.names);
        Some(&listed.names) == first
            || selection
                .name
                .is_some_and(|wanted| listed.names.iter().any(|name| name.is(wanted)))
    };
    if chosen.len() > 1 && !chosen.iter().all(is_one_name) {
        return Err(several(layout, path, &chosen));
    }
    if let [only] = chosen.as_slice()
        && only.entry.media_type.is_manifest()
    {
        let manifest = present::<Manifest>(layout, &only.entry)?;
        if selection.is_platform_required {
            require_platform(layout, path, &only.entry, selection.platform)?;
        }
        return Ok(Chosen {
            names: only.names()?,
            index: None,
            manifest,
        });
    }
    let equals = nearest(&chosen, selection.platform);
    if equals.len() > 1 {
        return Err(several(layout, path, &equals));
    }
    let entries = chosen.iter().map(|listed| listed.entry.clone()).collect();
    let (top, (index, manifest)) = descend(layout, path, index.with(entries), selection)?;
    let names = chosen
        .iter()
        .find(|listed| listed.entry.digest == top)
        .map_or_else(|| Ok(Names::default()), |listed| listed.names())?;
    Ok(Chosen {
        names,
        index,
        manifest,
    })
}

/// Refuses an image for another platform than the one that the user asks for.
fn require_platform(
    layout: &LayoutReader,
    path: &Path,
    entry: &Descriptor,
    wanted: &Platform,
) -> Result<(), Error> {
    match platform_of(layout, entry) {
        Some(own) if wanted.distance_to(&own).is_none() => {
            Err(SelectError::from(NoSuchPlatform::of_single(wanted, &own)).at(path))
        }
        _ => Ok(()),
    }
}

/// Returns the name or the digest of each image, if there are several that differ by more than the platform.
pub(super) fn choices(layout: &LayoutReader) -> Result<Vec<String>, Error> {
    let index = layout.index()?;
    let listed = list(layout, &index);
    let first = listed.first().map(|first| &first.names);
    let mut platforms = HashSet::new();
    let differ_by_platform = listed.iter().all(|image| {
        let platform = platform_of(layout, &image.entry);
        Some(&image.names) == first
            && platform.is_some_and(|platform| platforms.insert(platform.normalised()))
    });
    if listed.len() < 2 || differ_by_platform {
        return Ok(Vec::new());
    }
    let mut choices = Vec::new();
    for image in &listed {
        let name = image.names.first();
        let choice = name.map_or_else(|| image.entry.digest.to_string(), ToString::to_string);
        if !choices.contains(&choice) {
            choices.push(choice);
        }
    }
    Ok(choices)
}

/// Returns the images that name a platform and serve the wanted one best. They must not be more than one: entries of
/// `index.json` are images of their own, so the first of equal ones is not preferred as in an index.
fn nearest<'l>(chosen: &[&'l Listed], platform: &Platform) -> Vec<&'l Listed> {
    let distance = |listed: &Listed| platform.distance_to(listed.entry.platform.as_ref()?);
    let least = chosen.iter().filter_map(|listed| distance(listed)).min();
    let equals = chosen
        .iter()
        .filter(|listed| least.is_some() && distance(listed) == least);
    equals.copied().collect()
}

/// Returns the error for several images, with their names, or with their digests where these differ alone.
fn several(layout: &LayoutReader, path: &Path, images: &[&Listed]) -> Error {
    let names: Vec<_> = images.iter().map(|image| image.label(layout)).collect();
    let is_unique = |name: &String| names.iter().filter(|other| *other == name).count() == 1;
    let labels = images.iter().zip(&names).map(|(image, name)| {
        if is_unique(name) {
            name.clone()
        } else {
            format!("{name} ({})", image.entry.digest)
        }
    });
    Error::SeveralImages {
        path: path.to_owned(),
        names: labels.collect(),
    }
}

/// Returns the images and indexes in `index.json`, each digest once.
fn list(layout: &LayoutReader, index: &Index) -> Vec<Listed> {
    let mut all: Vec<Listed> = Vec::new();
    for entry in index.images().filter(|entry| is_document(entry)) {
        let position = all
            .iter()
            .position(|listed| listed.entry.digest == entry.digest);
        let position = position.unwrap_or_else(|| {
            all.push(Listed {
                entry: entry.clone(),
                names: Vec::new(),
                texts: BTreeSet::new(),
            });
            all.len() - 1
        });
        if let Some(listed) = all.get_mut(position) {
            listed.add(entry);
        }
    }
    // Whether a manifest is that of an image is of interest only if there is a choice.
    let images = |listed: &Listed| all.len() == 1 || !is_artifact(layout, &listed.entry);
    let keep: Vec<bool> = all.iter().map(images).collect();
    if keep.contains(&true) {
        let mut keep = keep.into_iter();
        all.retain(|_| keep.next().unwrap_or(true));
    }
    all
}

/// Returns the images with a name, or all of them. A name that Docker considers equal comes before the text of an
/// annotation.
fn named<'l>(listed: &'l [Listed], wanted: Option<&str>) -> Vec<&'l Listed> {
    let Some(wanted) = wanted else {
        return listed.iter().collect();
    };
    let by_name: Vec<_> = listed
        .iter()
        .filter(|listed| listed.names.iter().any(|name| name.is(wanted)))
        .collect();
    if by_name.is_empty() {
        let by_text = listed.iter().filter(|listed| listed.texts.contains(wanted));
        return by_text.collect();
    }
    by_name
}

/// Finds the document with a digest, in `index.json` and in the indexes below it. Returns the entry of `index.json`
/// that leads to it, too.
fn find_digest<'l>(
    layout: &LayoutReader,
    listed: &'l [Listed],
    wanted: &Digest,
) -> Result<Option<(&'l Listed, Descriptor)>, Error> {
    let mut pending: Vec<(&Listed, Descriptor, usize)> = listed
        .iter()
        .rev()
        .map(|listed| (listed, listed.entry.clone(), 0))
        .collect();
    let mut seen = HashSet::new();
    while let Some((top, entry, depth)) = pending.pop() {
        if entry.digest == *wanted {
            return Ok(Some((top, entry)));
        }
        if seen.len() >= MAX_DOCUMENTS || depth > MAX_NESTING || !seen.insert(entry.digest) {
            continue;
        }
        if entry.media_type.is_index()
            && let Some(index) = layout.document::<Index>(&entry)?
        {
            let below = index.images().rev().cloned();
            pending.extend(below.map(|entry| (top, entry, depth + 1)));
        }
    }
    Ok(None)
}

impl Listed {
    /// Adds the name of an entry with the same digest.
    fn add(&mut self, entry: &Descriptor) {
        if self.entry.platform.is_none() {
            self.entry.platform.clone_from(&entry.platform);
        }
        let name = ImageName::of(&entry.annotations);
        if name != ImageName::Unnamed && !self.names.contains(&name) {
            self.names.push(name);
        }
        self.texts
            .extend(ImageName::texts(&entry.annotations).map(str::to_owned));
    }

    /// Returns the names that the image gets. Fails for a name that a reader would take for the ID of another image.
    fn names(&self) -> Result<Names, Error> {
        for name in &self.names {
            if let ImageName::Text(text) = name
                && let Err(error @ ParseError::Algorithm(_)) = text.parse::<Reference>()
            {
                return Err(composition::Error::Name(error).into());
            }
        }
        Ok(Names::of_layout(&self.names))
    }

    /// Describes the image for a list from which the user selects one.
    fn label(&self, layout: &LayoutReader) -> String {
        let names: Vec<_> = self.names.iter().map(ToString::to_string).collect();
        if names.is_empty() {
            label(layout, &self.entry)
        } else {
            names.join(" or ")
        }
    }
}

/// Describes an image without a name: its digest, and its platform if that is known.
fn label(layout: &LayoutReader, entry: &Descriptor) -> String {
    match platform_of(layout, entry) {
        Some(platform) => format!("{} ({})", entry.digest, platform.normalised()),
        None => entry.digest.to_string(),
    }
}

/// Returns the platform of an image, by its entry or else by its config.
fn platform_of(layout: &LayoutReader, entry: &Descriptor) -> Option<Platform> {
    let is_named = |platform: &Platform| !platform.is_unnamed();
    entry.platform.clone().filter(is_named).or_else(|| {
        let manifest = layout.document::<Manifest>(entry).ok()??;
        let config = layout.document::<ImageConfig>(&manifest.config).ok()??;
        Some(config.platform().clone()).filter(is_named)
    })
}

/// A manifest, and the index that names it, if no other index lies above that one.
type Found = (Option<Document<Index>>, Document<Manifest>);

/// Returns the digest of the entry in `index` for a platform, and the manifest, following nested indexes.
fn descend(
    layout: &LayoutReader,
    path: &Path,
    mut index: Index,
    selection: &Selection<'_>,
) -> Result<(Digest, Found), Error> {
    let mut top = None;
    let mut above: Vec<Document<Index>> = Vec::new();
    for _ in 0..=MAX_NESTING {
        let entry = entry(layout, path, &index, selection)?;
        let top = *top.get_or_insert(entry.digest);
        if entry.media_type.is_index() {
            let below = present::<Index>(layout, &entry)?;
            index = (*below).clone();
            above.push(below);
        } else {
            let manifest = present(layout, &entry)?;
            if selection.is_platform_required {
                require_platform(layout, path, &entry, selection.platform)?;
            }
            let only = above.pop().filter(|_| above.is_empty());
            return Ok((top, (only, manifest)));
        }
    }
    Err(Error::Nesting {
        path: path.to_owned(),
    })
}

/// Returns the entry in `index` for a platform. If the layout has no such image, returns the only image that the layout
/// has of the index, unless the user asks for a platform: as `docker load` does.
fn entry(
    layout: &LayoutReader,
    path: &Path,
    index: &Index,
    selection: &Selection<'_>,
) -> Result<Descriptor, Error> {
    let platform = selection.platform;
    let selected = match index.select(platform) {
        Ok(Selected::One(entry)) => Ok(entry.clone()),
        Ok(Selected::Unnamed(entries)) => unnamed(layout, path, &entries, platform),
        Err(error) => Err(error.at(path)),
    };
    let is_missing = match &selected {
        Ok(entry) => is_absent(layout, entry),
        Err(error) => matches!(error, Error::Platform { .. }),
    };
    if is_missing && !selection.is_platform_required {
        only_image(layout, index).map_or(selected, Ok)
    } else {
        selected
    }
}

/// Returns the entry that fits `platform` best, for entries without a platform. The configs of the images name the
/// platforms. Fails if different images fit equally well.
fn unnamed(
    layout: &LayoutReader,
    path: &Path,
    entries: &[&Descriptor],
    platform: &Platform,
) -> Result<Descriptor, Error> {
    let mut fitting: Vec<(usize, &Descriptor)> = Vec::new();
    let mut offered = Vec::new();
    for entry in entries {
        if entry.media_type.is_index() {
            if present::<Index>(layout, entry)?.select(platform).is_ok() {
                fitting.push((0, entry));
            }
            continue;
        }
        let manifest: Document<Manifest> = present(layout, entry)?;
        if manifest.require_image().is_ok() {
            let config: Document<ImageConfig> = present(layout, &manifest.config)?;
            let distance = platform.distance_to(config.platform());
            fitting.extend(distance.map(|distance| (distance, *entry)));
            offered.push(config.platform().clone());
        }
    }
    let Some((least, best)) = fitting.iter().min_by_key(|(distance, _)| *distance) else {
        return Err(SelectError::from(NoSuchPlatform::among(platform, &offered)).at(path));
    };
    let mut equals: Vec<&Descriptor> = Vec::new();
    for (distance, entry) in &fitting {
        if distance == least && equals.iter().all(|other| other.digest != entry.digest) {
            equals.push(entry);
        }
    }
    if equals.len() > 1 {
        return Err(Error::SeveralImages {
            path: path.to_owned(),
            names: equals.iter().map(|entry| label(layout, entry)).collect(),
        });
    }
    Ok((*best).clone())
}

/// Reads a document. Fails if the layout lacks it.
fn present<T: View>(layout: &LayoutReader, descriptor: &Descriptor) -> Result<Document<T>, Error> {
    let found = layout.document(descriptor)?;
    Ok(found.ok_or_else(|| layout.absent(&descriptor.digest))?)
}

#[cfg(test)]
mod tests {
    use super::super::open;
    use super::*;
    use crate::archive::fixture::Layout;
    use crate::archive::oci_layout::{FULL_NAME, REF_NAME};
    use serde_json::{Value, json};
    use std::fs;

    fn image(layout: &Layout, layer: &str) -> Value {
        let media_type = "application/vnd.oci.image.layer.v1.tar";
        let layer = layout.blob(media_type, layer.as_bytes());
        let config = json!({
            "os": "linux",
            "architecture": "amd64",
            "rootfs": { "diff_ids": [layer["digest"]] },
        });
        layout.manifest(config.to_string().as_bytes(), &[layer])
    }

    fn annotated(entry: &Value, key: &str, value: &str) -> Value {
        let mut entry = entry.clone();
        entry["annotations"] = json!({ key: value });
        entry
    }

    /// Returns the content of the selected image's layer, and the names of the image.
    fn chosen(layout: &Layout, name: Option<&str>) -> Result<(String, Names), Error> {
        chosen_for(layout, name, "linux/amd64", false)
    }

    fn chosen_for(
        layout: &Layout,
        name: Option<&str>,
        platform: &str,
        is_platform_required: bool,
    ) -> Result<(String, Names), Error> {
        let selection = Selection {
            name,
            platform: &platform.parse().unwrap(),
            is_platform_required,
        };
        let composition = open(&layout.path(), &selection)?;
        let (_, layer) = composition.files().last().unwrap();
        Ok((fs::read_to_string(layer).unwrap(), composition.names))
    }

    #[test]
    fn one_image_under_several_names_has_all_of_them() {
        let layout = Layout::new();
        let one = image(&layout, "a");
        layout.list(&[
            annotated(&one, FULL_NAME, "docker.io/library/app:1"),
            annotated(&one, FULL_NAME, "ghcr.io/a/b:2"),
            annotated(&one, FULL_NAME, "docker.io/library/app:1"),
        ]);
        for name in [None, Some("app:1"), Some("ghcr.io/a/b:2")] {
            let (layer, names) = chosen(&layout, name).unwrap();
            assert_eq!(layer, "a");
            assert_eq!(names.repo_tags, ["app:1", "ghcr.io/a/b:2"]);
        }
        // Without another name, too.
        layout.list(&[
            annotated(&one, REF_NAME, "1"),
            annotated(&one, REF_NAME, "1"),
        ]);
        assert_eq!(chosen(&layout, None).unwrap().0, "a");
    }

    #[test]
    fn a_text_that_is_no_name_selects_its_image_and_disturbs_no_other() {
        let layout = Layout::new();
        let texts = ["1.0.0+git5", "Foo/Bar:1", "v1@2", "1.0"];
        let entries = texts.map(|text| annotated(&image(&layout, text), REF_NAME, text));
        layout.list(&entries);
        for text in texts {
            assert_eq!(chosen(&layout, Some(text)).unwrap().0, text);
        }
        let error = chosen(&layout, None).unwrap_err().to_string();
        let list = "has several images: 1.0.0+git5, Foo/Bar:1, v1@2, 1.0";
        assert!(error.ends_with(list), "{error}");
        layout.list(&entries[..1]);
        let (_, names) = chosen(&layout, None).unwrap();
        assert_eq!(names.repo_tags, Vec::<String>::new());
        assert_eq!(names.ref_names, ["1.0.0+git5"]);
    }

    #[test]
    fn images_without_names_are_listed_and_selected_by_digest() {
        let layout = Layout::new();
        let (a, b) = (image(&layout, "a"), image(&layout, "b"));
        for entries in [
            vec![a.clone(), b.clone()],
            vec![layout.index(&[a.clone(), b.clone()])],
            vec![
                a.clone(),
                annotated(&b, FULL_NAME, "docker.io/library/app:1"),
            ],
        ] {
            layout.list(&entries);
            let error = chosen(&layout, None).unwrap_err().to_string();
            let first = a["digest"].as_str().unwrap();
            assert!(
                error.contains(&format!("several images: {first} (linux/amd64), ")),
                "{error}"
            );
            for (image, layer) in [(&a, "a"), (&b, "b")] {
                let digest = image["digest"].as_str();
                assert_eq!(chosen(&layout, digest).unwrap().0, layer);
            }
        }
        let absent = Digest::of(b"absent").to_string();
        assert!(matches!(
            chosen(&layout, Some(&absent)),
            Err(Error::NoImage { .. })
        ));
    }

    #[test]
    fn artifacts_signatures_and_attestations_are_not_images() {
        let layout = Layout::new();
        let signature = layout.manifest(
            b"{}",
            &[layout.blob("application/vnd.dev.cosign.simplesigning.v1+json", b"{}")],
        );
        let mut artifact = image(&layout, "b");
        artifact["artifactType"] = json!("application/vnd.example+json");
        let mut attestation = image(&layout, "c");
        attestation["annotations"] = json!({ "vnd.docker.reference.type": "attestation-manifest" });
        layout.list(&[
            annotated(&signature, REF_NAME, "sha256-0.sig"),
            artifact,
            image(&layout, "a"),
            attestation,
        ]);
        assert_eq!(chosen(&layout, None).unwrap().0, "a");
    }

    #[test]
    fn the_only_image_is_taken_for_any_platform_unless_the_user_asks_for_one() {
        let layout = Layout::new();
        let image = image(&layout, "a");
        let mut named = image.clone();
        named["platform"] = json!({ "os": "linux", "architecture": "amd64" });
        let mut absent = named.clone();
        absent["digest"] = json!(Digest::of(b"absent"));
        absent["platform"]["architecture"] = json!("arm64");
        let mut attestation = absent.clone();
        attestation["platform"] = json!({ "os": "unknown", "architecture": "unknown" });
        let artifact = layout.manifest(b"{}", &[layout.blob("application/vnd.example", b"{}")]);
        for entry in [
            named.clone(),
            image.clone(),
            layout.index(&[named.clone(), attestation]),
            layout.index(&[image]),
            layout.index(&[layout.index(&[named.clone(), named.clone()])]),
            layout.index(&[named.clone(), artifact]),
            // A copy of one platform.
            layout.index(&[absent, named.clone()]),
        ] {
            layout.list(std::slice::from_ref(&entry));
            for (platform, is_required, is_taken) in [
                ("linux/arm64", false, true),
                ("linux/s390x", false, true),
                ("linux/arm64", true, false),
                ("linux/amd64", true, true),
            ] {
                let chosen = chosen_for(&layout, None, platform, is_required);
                assert_eq!(chosen.is_ok(), is_taken, "{entry} {platform} {is_required}");
            }
        }
    }

    #[test]
    fn of_several_images_none_is_taken_for_another_platform() {
        let layout = Layout::new();
        let (mut one, mut other) = (image(&layout, "a"), image(&layout, "b"));
        one["platform"] = json!({ "os": "linux", "architecture": "amd64" });
        other["platform"] = json!({ "os": "linux", "architecture": "arm64" });
        let mut invalid = other.clone();
        invalid["digest"] = json!("sha384:00");
        for entries in [
            vec![one.clone(), other.clone()],
            vec![layout.index(&[one.clone(), other])],
            vec![layout.index(&[one, invalid])],
        ] {
            layout.list(&entries);
            let chosen = chosen_for(&layout, None, "linux/s390x", false);
            assert!(matches!(chosen, Err(Error::Platform { .. })));
        }
    }

    #[test]
    fn images_that_differ_by_digest_alone_are_several() {
        let layout = Layout::new();
        let for_amd64 = |layer: &str| {
            let mut entry = image(&layout, layer);
            entry["platform"] = json!({ "os": "linux", "architecture": "amd64" });
            entry
        };
        let (a, b) = (for_amd64("a"), for_amd64("b"));
        let name = "docker.io/library/app:1";
        layout.list(&[a.clone(), b.clone()]);
        let error = chosen(&layout, None).unwrap_err().to_string();
        assert!(error.contains("several images: sha256:"), "{error}");
        layout.list(&[
            annotated(&a, FULL_NAME, name),
            annotated(&b, FULL_NAME, name),
        ]);
        let error = chosen(&layout, Some("app:1")).unwrap_err().to_string();
        let labels = [&a, &b].map(|entry| format!("app:1 ({})", entry["digest"].as_str().unwrap()));
        assert!(error.ends_with(&labels.join(", ")), "{error}");
        // Other platforms are another difference.
        let mut other = b;
        other["platform"]["architecture"] = json!("arm64");
        layout.list(&[a, other]);
        assert_eq!(chosen(&layout, None).unwrap().0, "a");
    }

    #[test]
    fn all_images_can_be_chosen_one_after_another() {
        let layout = Layout::new();
        let all = || choices(&LayoutReader::open(&layout.path()).unwrap()).unwrap();
        let (a, b) = (image(&layout, "a"), image(&layout, "b"));
        let named = annotated(&a, FULL_NAME, "docker.io/library/app:1");
        let other = annotated(&a, FULL_NAME, "docker.io/library/app:2");
        let digest = |entry: &Value| entry["digest"].as_str().unwrap().to_owned();
        layout.list(&[named.clone(), b.clone(), other.clone()]);
        assert_eq!(all(), ["app:1".to_owned(), digest(&b)]);
        for choice in all() {
            chosen(&layout, Some(&choice)).unwrap();
        }
        layout.list(&[a.clone(), b.clone()]);
        assert_eq!(all(), [digest(&a), digest(&b)]);
        // One image, and one for each platform.
        layout.list(&[named, other]);
        assert_eq!(all(), [""; 0]);
        let platforms = [(a, "amd64"), (b, "arm64")].map(|(mut entry, architecture)| {
            entry["platform"] = json!({ "os": "linux", "architecture": architecture });
            entry
        });
        layout.list(&platforms);
        assert_eq!(all(), [""; 0]);
    }
}
