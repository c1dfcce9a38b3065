//! What waits: new tags and digests that are not known for long enough.

use std::fmt::Write as _;

use super::time::{minute, span};
use super::{Text, attribute};
use crate::lock::{Lock, LockedImage, Name, Pending};
use crate::oci::timestamp::Timestamp;

/// A tag or digest that waits.
struct Row<'a> {
    name: &'a Name,
    image: &'a LockedImage,
    pending: &'a Pending,
    until: Timestamp,
}

/// What waits of all images of a lock.
pub(super) struct Waits<'a> {
    /// The first that may be taken is first.
    rows: Vec<Row<'a>>,
    now: i64,
}

impl<'a> Waits<'a> {
    /// Collects what waits at the time `now`, in seconds since 1970.
    pub(super) fn of(lock: &'a Lock, now: i64) -> Self {
        let mut rows: Vec<_> = lock
            .images
            .iter()
            .flat_map(|(name, image)| {
                let age = lock.min_age(image);
                image.following().pending.iter().map(move |pending| Row {
                    name,
                    image,
                    pending,
                    until: pending.until(age, now),
                })
            })
            .collect();
        rows.sort_by_key(|row| row.until.seconds());
        Self { rows, now }
    }

    /// Returns the label, value and remark of a tile, if anything waits.
    pub(super) fn tile(&self) -> Option<(&'static str, String, String)> {
        let first = self.rows.first()?;
        let remark = if first.until.seconds() <= self.now {
            let count = self
                .rows
                .iter()
                .filter(|row| row.until.seconds() <= self.now);
            format!("{} ready for an update", count.count())
        } else {
            format!("until {} or later", minute(first.until.seconds()))
        };
        Some(("Waiting", self.rows.len().to_string(), remark))
    }

    /// Writes the section. Nothing is written if nothing waits.
    pub(super) fn section(&self, html: &mut String) {
        if self.rows.is_empty() {
            return;
        }
        html.push_str(
            "<h2>Waiting</h2>\n<p class=\"quiet\">New tags and digests that are not known for long enough. The next \
             <code>hocker lock update</code> after this time takes them, if the registry still has them. A signature in a \
             transparency log can end a wait earlier.</p>\n<div class=\"frame\"><table><thead><tr>\
             <th scope=\"col\"><button>Image</button></th>\
             <th scope=\"col\"><button>Tag</button></th>\
             <th scope=\"col\"><button>New digest</button></th>\
             <th scope=\"col\" class=\"number\"><button>Known since</button></th>\
             <th scope=\"col\" class=\"number\" aria-sort=\"ascending\"><button>Waits until</button></th>\
             </tr></thead>\n<tbody>\n",
        );
        for row in &self.rows {
            self.row(html, row);
        }
        html.push_str("</tbody></table></div>\n");
    }

    fn row(&self, html: &mut String, row: &Row<'_>) {
        let pending = row.pending;
        let present = row.image.reference().tag.as_ref();
        let tag = match present.filter(|present| **present != pending.tag) {
            Some(present) => Text::new(format!("{present} → {}", pending.tag)).to_string(),
            None => format!(
                "<span>{}<span class=\"reference\">pushed again</span></span>",
                Text::new(&pending.tag)
            ),
        };
        let hex: String = pending.digest.hex().chars().take(12).collect();
        let (since, until) = (pending.first_seen.seconds(), row.until.seconds());
        let since_remark = if since > self.now {
            "in the future: a clock was wrong".to_owned()
        } else {
            format!("for {}", span(self.now.saturating_sub(since)))
        };
        let until_remark = if until <= self.now {
            "ready for an update".to_owned()
        } else {
            format!("{} left", span(until.saturating_sub(self.now)))
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            html,
            "<tr><td class=\"first\"{}><span class=\"name\">{}</span></td>\
             <td data-label=\"Tag\">{tag}</td>\
             <td data-label=\"New digest\"><code{}>{}</code></td>{}{}</tr>",
            attribute("data-key", row.name),
            Text::new(row.name),
            attribute("title", pending.digest),
            Text::new(hex),
            moment("Known since", &pending.first_seen, &since_remark),
            moment("Waits until", &row.until, &until_remark),
        );
    }
}

/// Returns a cell with a point in time.
fn moment(label: &str, time: &Timestamp, remark: &str) -> String {
    format!(
        "<td class=\"number\"{}{}{}><span>{}<span class=\"reference\">{}</span></span></td>",
        attribute("data-label", label),
        attribute("data-key", time.seconds()),
        attribute("title", time),
        Text::new(minute(time.seconds())),
        Text::new(remark),
    )
}
