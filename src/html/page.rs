//! The page: a summary, the images, and the layers that they share. Each part is one function, in the order of the page.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::sharing::Sharing;
use super::time::{DAY, date, span};
use super::waiting::Waits;
use super::{Text, attribute};
use crate::diff::{Description, source_link};
use crate::lock::{Lock, LockedImage, LockedPlatform, Name};
use crate::oci::digest::Digest;
use crate::oci::platform::Platform;
use crate::oci::timestamp::Timestamp;
use crate::size::Size;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Images that are older than this are marked.
const OLD: i64 = 180 * DAY;

/// The content of a page.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// The lock.
    pub lock: &'a Lock,
    /// The path of the lock file, for the title.
    pub title: &'a str,
    /// The time for which ages are computed, in seconds since 1970.
    pub now: i64,
    /// The platform whose sizes and layers are shown, for images that are locked for it.
    pub platform: &'a Platform,
}

/// Returns the page. The same content always gives the same text.
#[must_use]
pub fn page(content: &Page<'_>) -> String {
    let sharing = Sharing::of(content.lock);
    let mut html = String::new();
    head(&mut html, content);
    let waits = Waits::of(content.lock, content.now);
    summary(&mut html, content, &sharing, &waits);
    waits.section(&mut html);
    images(&mut html, content, &sharing);
    shared(&mut html, &sharing);
    let _ = write!(
        html,
        "<footer>Sizes are those of the compressed layers. An age counts from the creation time that an image states, which \
         is not verified. Made by hocker {} on {}.</footer>\n</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n",
        env!("CARGO_PKG_VERSION"),
        date(content.now),
    );
    html
}

fn head(html: &mut String, content: &Page<'_>) {
    let title = Text::new(content.title);
    // Writing to a String cannot fail.
    let _ = write!(
        html,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src {}; script-src {}; \
         base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>Container images in {title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>Container images</h1>\n<p class=\"quiet\">Pinned by <code>{title}</code></p>\n",
        source_hash(STYLE),
        source_hash(SCRIPT),
    );
}

/// Returns the hash by which a content security policy allows an inline style or script.
fn source_hash(text: &str) -> String {
    let digest = Digest::of(text.as_bytes());
    format!("'sha256-{}'", STANDARD.encode(digest.as_bytes()))
}

fn summary(html: &mut String, content: &Page<'_>, sharing: &Sharing, waits: &Waits<'_>) {
    let images = &content.lock.images;
    let pinned = images.values().filter(|image| image.is_pinned()).count();
    let follow = images.len() - pinned;
    let oldest = images
        .iter()
        .filter_map(|(name, image)| Some((created(content, image)?, name)))
        .min_by_key(|(created, _)| created.seconds());
    let mut tiles = vec![
        (
            "Images",
            images.len().to_string(),
            format!("{follow} follow a tag, {pinned} pinned"),
        ),
        (
            "Layers on disk",
            Size(sharing.stored).to_string(),
            "each layer once".to_owned(),
        ),
        (
            "Saved by sharing",
            Size(sharing.total.saturating_sub(sharing.stored)).to_string(),
            format!("{} without sharing", Size(sharing.total)),
        ),
    ];
    if let Some((created, name)) = oldest {
        tiles.push(("Oldest image", age(created, content.now), name.to_string()));
    }
    tiles.extend(waits.tile());
    html.push_str("<dl class=\"tiles\">\n");
    for (name, value, remark) in &tiles {
        let _ = writeln!(
            html,
            "<div><dt>{name}</dt><dd>{}<small>{}</small></dd></div>",
            Text::new(value),
            Text::new(remark)
        );
    }
    html.push_str("</dl>\n");
}

fn images(html: &mut String, content: &Page<'_>, sharing: &Sharing) {
    html.push_str(
        "<div class=\"bar\"><h2>Images</h2>\n\
         <input id=\"filter\" type=\"search\" placeholder=\"Filter\" aria-label=\"Filter the images\" hidden></div>\n\
         <p class=\"quiet\">A bar shows the layers of an image, each as wide as it is large. Layers in colour are in \
         several images.</p>\n\
         <div class=\"frame\"><table id=\"images\"><thead><tr>\
         <th scope=\"col\" aria-sort=\"ascending\"><button>Image</button></th>\
         <th scope=\"col\"><button>Tag</button></th>\
         <th scope=\"col\"><button>Digest</button></th>\
         <th scope=\"col\"><button>Platforms</button></th>\
         <th scope=\"col\" class=\"number\"><button>Size</button></th>\
         <th scope=\"col\" class=\"number\"><button>Shared</button></th>\
         <th scope=\"col\">Layers</th>\
         <th scope=\"col\" class=\"number\"><button>Age</button></th>\
         </tr></thead>\n<tbody>\n",
    );
    for (name, image) in &content.lock.images {
        row(html, content, sharing, name, image);
    }
    html.push_str(
        "</tbody></table>\n<p id=\"none\" class=\"empty\" hidden>No image matches.</p></div>\n",
    );
}

fn row(html: &mut String, content: &Page<'_>, sharing: &Sharing, name: &Name, image: &LockedImage) {
    let reference = image.reference();
    let Some((platform, locked)) = shown(content, image) else {
        return;
    };
    let description = Description::of_locked(image, locked);
    let familiar = Text::new(reference.familiar_name());
    let link = match description.source.as_deref().and_then(source_link) {
        Some(link) => format!(
            "<a{} rel=\"noreferrer noopener\">{familiar}</a>",
            attribute("href", link)
        ),
        None => familiar.to_string(),
    };
    let tag = reference.tag.as_ref().map(ToString::to_string);
    let mut tag_cell = tag
        .as_ref()
        .map(|tag| Text::new(tag).to_string())
        .unwrap_or_default();
    let plain = |text: &str| text.trim_start_matches('v').to_owned();
    let known = tag.as_deref().map(plain);
    if let Some(version) = description
        .version
        .filter(|version| Some(plain(version)) != known)
    {
        let _ = write!(
            tag_cell,
            "<span class=\"reference version\">version {}</span>",
            Text::new(version)
        );
    }
    let following = image.following();
    if let Some(pattern) = &following.pattern {
        let _ = write!(
            tag_cell,
            "<span class=\"reference\">follows <code>{}</code></span>",
            Text::new(pattern)
        );
    }
    if !following.pending.is_empty() {
        tag_cell.push_str(" <span class=\"chip\">update waits</span>");
    }
    if image.is_pinned() {
        tag_cell.push_str(" <span class=\"chip\">pinned</span>");
    }
    let digest = image.digest();
    let full = digest.map(|digest| digest.to_string()).unwrap_or_default();
    let chips = image.platforms().keys().map(|platform| {
        let platform = Text::new(platform);
        format!("<span class=\"chip\">{platform}</span>")
    });
    let (size, common) = (locked.size(), sharing.shared_bytes(locked));
    let percent = common.saturating_mul(100).checked_div(size).unwrap_or(0);
    let _ = writeln!(
        html,
        "<tr><td class=\"first\"{}><span class=\"name\">{}</span><span class=\"reference\">{link}</span></td>\
         <td data-label=\"Tag\"><span>{tag_cell}</span></td>\
         <td data-label=\"Digest\"><code{}>{}</code></td>\
         <td data-label=\"Platforms\"><span>{}</span></td>\
         <td class=\"number\" data-label=\"Size\"{}{}>{}</td>\
         <td class=\"number\" data-label=\"Shared\"{}>{percent}%</td>\
         <td data-label=\"Layers\">{}</td>{}</tr>",
        attribute("data-key", name),
        Text::new(name),
        attribute("title", &full),
        Text::new(
            digest
                .map(|digest| digest.hex().chars().take(12).collect::<String>())
                .unwrap_or_default()
        ),
        chips.collect::<String>(),
        attribute("data-key", size),
        attribute("title", format!("for {platform}")),
        Text::new(Size(size)),
        attribute("data-key", percent),
        sharing.bar(locked),
        age_cell(created(content, image), content.now),
    );
}

fn age_cell(created: Option<&Timestamp>, now: i64) -> String {
    let Some(created) = created else {
        return "<td class=\"number\" data-label=\"Age\" data-key=\"-1\">–</td>".to_owned();
    };
    let seconds = now.saturating_sub(created.seconds()).max(0);
    let class = if seconds > OLD {
        "number old"
    } else {
        "number"
    };
    format!(
        "<td class=\"{class}\" data-label=\"Age\"{}{}>{}</td>",
        attribute("data-key", seconds),
        attribute("title", created.as_str()),
        Text::new(age(created, now))
    )
}

fn shared(html: &mut String, sharing: &Sharing) {
    if sharing.layers.is_empty() {
        return;
    }
    html.push_str(
        "<h2>Shared layers</h2>\n<p class=\"quiet\">Layers that several images have. A host fetches and stores each of them \
         once.</p>\n<div class=\"frame\"><table><thead><tr>\
         <th scope=\"col\"><button>Layer</button></th>\
         <th scope=\"col\" class=\"number\"><button>Size</button></th>\
         <th scope=\"col\" class=\"number\" aria-sort=\"descending\"><button>Saves</button></th>\
         <th scope=\"col\"><button>Images</button></th>\
         </tr></thead>\n<tbody>\n",
    );
    for digest in sharing.by_saving() {
        let Some(layer) = sharing.layers.get(&digest) else {
            continue;
        };
        let names = layer.images.iter().map(|name| {
            let name = Text::new(name);
            format!("<span class=\"chip\">{name}</span>")
        });
        let hex: String = digest.hex().chars().take(12).collect();
        let _ = writeln!(
            html,
            "<tr><td class=\"first\"{}><svg class=\"key\" viewBox=\"0 0 1 1\" aria-hidden=\"true\"><rect class=\"c{}\" \
             width=\"1\" height=\"1\"/></svg><code{}>{}</code></td>\
             <td class=\"number\" data-label=\"Size\"{}>{}</td>\
             <td class=\"number\" data-label=\"Saves\"{}>{}</td>\
             <td data-label=\"Images\"{}><span>{}</span></td></tr>",
            attribute("data-key", &hex),
            layer.colour,
            attribute("title", digest),
            Text::new(&hex),
            attribute("data-key", layer.layer.size),
            Text::new(Size(layer.layer.size)),
            attribute("data-key", layer.saved()),
            Text::new(Size(layer.saved())),
            attribute("data-key", layer.images.len()),
            names.collect::<String>(),
        );
    }
    html.push_str("</tbody></table></div>\n");
}

/// Returns the image for the platform of the page, else for the first platform.
fn shown<'a>(
    content: &Page<'_>,
    image: &'a LockedImage,
) -> Option<(&'a Platform, &'a LockedPlatform)> {
    let platforms = image.platforms();
    platforms
        .get_key_value(content.platform)
        .or_else(|| platforms.iter().next())
}

fn created<'a>(content: &Page<'_>, image: &'a LockedImage) -> Option<&'a Timestamp> {
    let (_, locked) = shown(content, image)?;
    locked
        .created
        .as_ref()
        .filter(|created| created.is_meaningful())
}

fn age(created: &Timestamp, now: i64) -> String {
    span(now.saturating_sub(created.seconds()))
}
