//! The picture in README is drawn from its description, `nix/image-parts.txt`, which says how to write one.
//! `DRAW=1 cargo test --test it picture` draws it anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

const DESCRIPTION: &str = "nix/image-parts.txt";
const PICTURE: &str = "nix/image-parts.svg";

/// Lengths in pixels.
const WIDTH: f64 = 840.0;
const MARGIN: f64 = 16.0;
const GAP: f64 = 12.0;
const TITLE: f64 = 40.0;
const LINE: f64 = 18.0;
const PADDING: f64 = 8.0;
/// Between rows: room for arrows, with the caption of the next row on their way.
const BETWEEN: f64 = 68.0;
const FIRST: f64 = 36.0;

/// The same looks as `hocker lock graph --format svg`, in light and dark. Captions cover the arrows that they cross.
const STYLE: &str = "\
text{font:13px system-ui,sans-serif;fill:#222}.title{font-size:17px;font-weight:600}.caption{font-weight:600;\
paint-order:stroke;stroke:#fff;stroke-width:7px;stroke-linejoin:round}\
.box text{font:12.5px ui-monospace,'DejaVu Sans Mono',monospace;text-anchor:middle}.box .first{font-weight:600}\
.paper{fill:#fff}.box rect{stroke-width:1.5}.plain rect{fill:#f1f3f5;stroke:#868e96}\
.web rect{fill:#dceefb;stroke:#0072b2}.app rect{fill:#fbe9d9;stroke:#c65400}.shared rect{fill:#d7f2e6;stroke:#00805d}\
path{fill:none;stroke:#868e96;stroke-width:1.5}.link{stroke-dasharray:5 4}.head{fill:#868e96;stroke:none}\
@media(prefers-color-scheme:dark){text{fill:#e8e8e8}.caption{stroke:#16181a}.paper{fill:#16181a}\
.plain rect{fill:#25282b;stroke:#868e96}.web rect{fill:#0d2f45;stroke:#4aa8dd}.app rect{fill:#46260e;stroke:#ef8a45}\
.shared rect{fill:#0b3a2c;stroke:#2fb98c}}";

/// Where a box stands.
#[derive(Clone, Copy)]
struct Place {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

/// A box that is being described.
struct Drawn<'a> {
    name: &'a str,
    kind: &'a str,
    left: f64,
    right: f64,
    lines: Vec<String>,
}

/// What has been drawn so far.
#[derive(Default)]
struct Picture<'a> {
    arrows: String,
    rest: String,
    places: BTreeMap<&'a str, Place>,
    row: Vec<Drawn<'a>>,
    bottom: f64,
}

#[track_caller]
fn draw(description: &str) -> String {
    let mut picture = Picture::default();
    let mut arrows = Vec::new();
    for line in description.lines() {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "" | "#" => {}
            "title" => {
                picture.text("title", MARGIN, 30.0, rest);
                picture.bottom = TITLE;
            }
            "row" => {
                picture.end_row();
                // There are no arrows to the first.
                let is_first = picture.places.is_empty();
                picture.bottom += if is_first { FIRST } else { BETWEEN };
                let above = if is_first { 14.0 } else { 20.0 };
                picture.text("caption", MARGIN, picture.bottom - above, rest);
            }
            "box" => picture.row.push(Drawn::parse(rest)),
            "arrow" | "link" => arrows.push((word, rest.split_once(" -> ").unwrap())),
            _ => panic!("what is {line:?}?"),
        }
    }
    picture.end_row();
    for (kind, (from, to)) in arrows {
        picture.arrow(kind, from, to);
    }
    let height = picture.bottom + MARGIN;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\">\n<style>{STYLE}</style>\n\
         <rect class=\"paper\" width=\"{WIDTH}\" height=\"{height}\" rx=\"6\"/>\n{}{}</svg>\n",
        picture.arrows, picture.rest
    )
}

impl<'a> Drawn<'a> {
    fn parse(text: &'a str) -> Self {
        let (head, lines) = text.split_once(": ").unwrap();
        let words: Vec<&str> = head.split(' ').collect();
        let (from, to) = words[1].split_once('-').unwrap();
        let tenth = |text: &str| {
            let tenths: f64 = text.parse().unwrap();
            MARGIN + (WIDTH - 2.0 * MARGIN + GAP) * tenths / 10.0
        };
        Self {
            name: words[0],
            kind: words[2],
            left: tenth(from),
            right: tenth(to) - GAP,
            lines: lines
                .split(" | ")
                .map(|line| line.replace("\\|", "|"))
                .collect(),
        }
    }
}

impl Picture<'_> {
    fn text(&mut self, class: &str, x: f64, y: f64, text: &str) {
        writeln!(
            self.rest,
            "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{}</text>",
            escaped(text)
        )
        .unwrap();
    }

    /// Draws the row that was described, now that it is known how high it is.
    fn end_row(&mut self) {
        let row = std::mem::take(&mut self.row);
        let lines = row.iter().map(|drawn| drawn.lines.len()).max().unwrap_or(0);
        let Ok(lines) = u32::try_from(lines).map(f64::from) else {
            return;
        };
        if lines == 0.0 {
            return;
        }
        let (top, height) = (self.bottom, lines * LINE + 2.0 * PADDING);
        for drawn in row {
            let Drawn { left, right, .. } = drawn;
            let width = right - left;
            writeln!(
                self.rest,
                "<g class=\"box {}\"><rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" \
                 rx=\"5\"/>",
                drawn.kind
            )
            .unwrap();
            let mut y = top + PADDING + 13.0;
            for (number, line) in drawn.lines.iter().enumerate() {
                let class = if number == 0 { " class=\"first\"" } else { "" };
                let x = f64::midpoint(left, right);
                writeln!(
                    self.rest,
                    "<text{class} x=\"{x:.1}\" y=\"{y:.1}\">{}</text>",
                    escaped(line)
                )
                .unwrap();
                y += LINE;
            }
            self.rest.push_str("</g>\n");
            let bottom = top + height;
            let place = Place {
                left,
                right,
                top,
                bottom,
            };
            self.places.insert(drawn.name, place);
        }
        self.bottom = top + height;
    }
    /// From the bottom of a box to the top of one in the next row.
    #[track_caller]
    fn arrow(&mut self, kind: &str, from: &str, to: &str) {
        let place = |name| {
            let place = self.places.get(name);
            *place.unwrap_or_else(|| panic!("there is no box {name:?}"))
        };
        let (from, to) = (place(from), place(to));
        // As straight as may be: over the middle of the narrower one.
        let narrower = if from.right - from.left < to.right - to.left {
            from
        } else {
            to
        };
        let middle = f64::midpoint(narrower.left, narrower.right);
        let within = |place: Place| middle.clamp(place.left + 24.0, place.right - 24.0);
        let (start, end) = (within(from), within(to));
        let (top, bottom) = (from.bottom, to.top - 7.0);
        let half = f64::midpoint(top, bottom);
        writeln!(
            self.arrows,
            "<path class=\"{kind}\" d=\"M{start:.1} {top:.1}C{start:.1} {half:.1} {end:.1} {half:.1} {end:.1} {bottom:.1}\"/>\
             <path class=\"head\" d=\"M{:.1} {bottom:.1}h9l-4.5 7z\"/>",
            end - 4.5,
        )
        .unwrap();
    }
}

/// Text of XML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[test]
fn the_picture_is_what_its_description_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let drawn = draw(&fs::read_to_string(root.join(DESCRIPTION)).unwrap());
    if std::env::var_os("DRAW").is_some() {
        fs::write(root.join(PICTURE), &drawn).unwrap();
    }
    assert!(
        fs::read_to_string(root.join(PICTURE)).unwrap_or_default() == drawn,
        "{PICTURE} is not what {DESCRIPTION} says: DRAW=1 cargo test --test it picture"
    );
}
