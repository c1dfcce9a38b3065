//! A picture of the layers that images share: one row for each image, and one block for each layer, as wide as the
//! layer is large. A base of several images is one block across their rows.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::graph::{Block, Graph};
use crate::oci::digest::Digest;
use crate::printable::Printable;
use crate::size::Size;

/// The lengths of the picture in pixels.
const WIDTH: f64 = 1120.0;
const MARGIN: f64 = 24.0;
const HEADER: f64 = 72.0;
const ROW: f64 = 26.0;
const NAMES: f64 = 230.0;
const SIZES: f64 = 90.0;
/// The least width of a block.
const NARROWEST: f64 = 3.0;
/// A block that is wider than this shows its size.
const ROOM_FOR_TEXT: f64 = 74.0;

/// The greatest length of a name in characters. Longer names are cut.
const LONGEST: usize = 29;

/// Colours that colour-blind people can distinguish (after Okabe and Ito), dark enough for white text.
const COLOURS: [&str; 7] = [
    "#0072b2", "#00805d", "#b87900", "#b0568a", "#2f86b8", "#c65400", "#6f5ac7",
];

const STYLE: &str = "\
text{font:13px system-ui,sans-serif;fill:#222}.title{font-size:18px;font-weight:600}.quiet{fill:#666}\
.end{text-anchor:end}.middle{text-anchor:middle}.on{fill:#fff;font-size:12px}.own{fill:#c8ccd0}\
.paper{fill:#fff}rect{stroke:#fff;stroke-width:1}.line{stroke:#e4e6e8}\
@media(prefers-color-scheme:dark){text{fill:#e8e8e8}.quiet{fill:#a0a0a0}.own{fill:#50565c}.paper{fill:#16181a}\
rect{stroke:#16181a}.line{stroke:#2c3034}}";

/// Draws the graph.
#[must_use]
pub fn svg(graph: &Graph) -> String {
    let rows = count(graph.rows.len());
    let height = HEADER + rows * ROW + MARGIN;
    let (total, stored) = (graph.total(), graph.stored());
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\">\n<style>{STYLE}</style>\n\
         <rect class=\"paper\" width=\"{WIDTH}\" height=\"{height}\"/>\n\
         <text class=\"title\" x=\"{MARGIN}\" y=\"36\">{} images for {}: {} of layers, stored as {}</text>\n\
         <text class=\"quiet\" x=\"{MARGIN}\" y=\"57\">A block is a layer, as wide as it is large. A coloured \
         block is in several images and stored once.</text>",
        graph.rows.len(),
        escaped(&Printable::new(&graph.platform.to_string())),
        Size(total),
        Size(stored),
    );
    for (number, row) in graph.rows.iter().enumerate() {
        let top = HEADER + count(number) * ROW;
        let _ = writeln!(
            text,
            "<line class=\"line\" x1=\"{MARGIN}\" x2=\"{}\" y1=\"{top}\" y2=\"{top}\"/>\
             <text x=\"{MARGIN}\" y=\"{}\">{}<title>{}</title></text>\
             <text class=\"quiet end\" x=\"{}\" y=\"{}\">{}</text>",
            WIDTH - MARGIN,
            top + 17.0,
            escaped(&Printable::at_most(LONGEST, row.name.as_str())),
            escaped(&Printable::new(&row.reference.to_string())),
            WIDTH - MARGIN,
            top + 17.0,
            Size(row.size),
        );
    }
    let scale = Scale::of(graph);
    let mut colours = BTreeMap::new();
    let mut ends: Vec<f64> = Vec::new();
    for block in &graph.blocks {
        let start = block
            .below
            .and_then(|below| ends.get(below).copied())
            .unwrap_or(MARGIN + NAMES);
        let width = scale.width(block.layer.size);
        ends.push(start + width);
        draw(&mut text, block, start, width, &mut colours);
    }
    text.push_str("</svg>\n");
    text
}

fn draw(
    text: &mut String,
    block: &Block,
    start: f64,
    width: f64,
    colours: &mut BTreeMap<Digest, &'static str>,
) {
    let (top, height) = (
        HEADER + count(block.first_row) * ROW,
        count(block.rows) * ROW,
    );
    let is_shared = block.images > 1;
    let fill = if is_shared {
        let next = colours.len();
        let colour = colours.entry(block.layer.digest).or_insert_with(|| {
            COLOURS
                .get(next % COLOURS.len())
                .copied()
                .unwrap_or("#0072b2")
        });
        format!("fill=\"{colour}\"")
    } else {
        "class=\"own\"".to_owned()
    };
    let size = Size(block.layer.size);
    let _ = write!(
        text,
        "<rect {fill} x=\"{start:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{:.1}\" rx=\"2\">\
         <title>{}\n{size}, in {} of the images</title></rect>",
        top + 1.0,
        height - 2.0,
        block.layer.digest,
        block.images,
    );
    if is_shared && width > ROOM_FOR_TEXT {
        let _ = write!(
            text,
            "<text class=\"on middle\" x=\"{:.1}\" y=\"{:.1}\">{size} ×{}</text>",
            start + width / 2.0,
            top + height / 2.0 + 4.0,
            block.images,
        );
    }
    text.push('\n');
}

/// The scale of the widths. The longest row exactly fits the picture.
struct Scale {
    pixels_per_byte: f64,
}

impl Scale {
    fn of(graph: &Graph) -> Self {
        let mut ends: Vec<(f64, f64)> = Vec::new();
        for block in &graph.blocks {
            let (bytes, blocks) = block
                .below
                .and_then(|below| ends.get(below).copied())
                .unwrap_or_default();
            ends.push((bytes + length(block.layer.size), blocks + 1.0));
        }
        let room = WIDTH - 2.0 * MARGIN - NAMES - SIZES;
        // The row that needs most space determines the scale. The least widths of its blocks are subtracted.
        let fits = ends
            .iter()
            .map(|(bytes, blocks)| (room - blocks * NARROWEST).max(room / 10.0) / bytes.max(1.0));
        Self {
            pixels_per_byte: fits.fold(f64::MAX, f64::min).min(1.0),
        }
    }

    fn width(&self, bytes: u64) -> f64 {
        NARROWEST + length(bytes) * self.pixels_per_byte
    }
}

#[expect(clippy::cast_precision_loss, reason = "pixels need no more precision")]
fn length(bytes: u64) -> f64 {
    bytes as f64
}

#[expect(clippy::cast_precision_loss, reason = "the number of rows is small")]
fn count(number: usize) -> f64 {
    number as f64
}

/// Escapes text for XML. Characters that cannot be printed are not permitted in XML, and [`Printable`] has none.
fn escaped(text: &Printable) -> String {
    text.as_str()
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
