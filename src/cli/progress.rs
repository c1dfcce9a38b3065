//! Progress on standard error: bars on a terminal; otherwise the classic lines, one for each finished layer; nothing
//! with `--quiet`.

use std::fmt::Write;
use std::io::IsTerminal as _;

use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};

use super::stderr;
use hocker::http::retry::{Next, Notice};
use hocker::oci::digest::{DiffId, Digest};
use hocker::printable::Printable;
use hocker::pull::{self, ImageProgress};
use hocker::registry::Progress;
use hocker::size::Size;

/// The template of a bar: `ca4f61b [=====>   ] 32.7MB/52.5MB 12.9MB/s 2s`.
const BAR: &str = "{prefix} [{bar:30}] {size}/{total_size} {size_per_second}/s {eta}";
/// The template of a bar while the size is unknown.
const SPINNER: &str = "{prefix} {spinner} {size} {size_per_second}/s";
/// The template of a bar that counts images: `[=====>   ] 12/50 images`.
const COUNT: &str = "[{bar:30}] {pos}/{len} images";

/// The form in which progress is shown.
#[derive(Clone, Debug)]
pub(super) struct ProgressDisplay(Mode);

#[derive(Clone, Debug)]
enum Mode {
    Quiet,
    Lines,
    Bars(MultiProgress),
}

impl ProgressDisplay {
    /// Selects bars if standard error is a terminal. In a build it selects lines: Nix gives builders a terminal for
    /// their log.
    pub(super) fn new(quiet: bool, is_build: bool) -> Self {
        Self(if quiet {
            Mode::Quiet
        } else if !is_build && std::io::stderr().is_terminal() {
            Mode::Bars(MultiProgress::new())
        } else {
            Mode::Lines
        })
    }

    /// Shows the progress of a layer.
    pub(super) fn layer(&self, layer: &Digest) -> LayerProgress {
        let bar = match &self.0 {
            Mode::Bars(bars) => bars.add(ProgressBar::no_length()),
            Mode::Quiet | Mode::Lines => ProgressBar::hidden(),
        };
        bar.set_style(style(SPINNER));
        let short = Printable::new(&layer.short());
        bar.set_prefix(short.to_string());
        LayerProgress {
            bar,
            display: self.clone(),
            short,
        }
    }

    /// Shows the progress of `count` images.
    pub(super) fn images(&self, count: usize) -> ImagesProgress {
        let bar = match &self.0 {
            Mode::Bars(bars) => bars.add(ProgressBar::new(count as u64)),
            Mode::Quiet | Mode::Lines => ProgressBar::hidden(),
        };
        bar.set_style(style(COUNT));
        ImagesProgress(bar)
    }

    /// Shows the progress of an image that is sent to a daemon.
    pub(super) fn upload(&self) -> Upload {
        let bar = match &self.0 {
            Mode::Bars(bars) => bars.add(ProgressBar::no_length()),
            Mode::Quiet | Mode::Lines => ProgressBar::hidden(),
        };
        bar.set_style(style(SPINNER));
        bar.set_prefix("sending");
        Upload(bar)
    }

    /// Prints a transient failure and what hocker does next.
    pub(super) fn retrying(&self, notice: &Notice) {
        let after = notice
            .after
            .map(|bytes| format!(" after {}", Size(bytes)))
            .unwrap_or_default();
        let next = match notice.next {
            Next::RetryIn(delay) => format!("retrying in {:.1} s", delay.as_secs_f64()),
            Next::Elsewhere => "trying the next location".to_owned(),
        };
        self.line(&Printable::new(&format!(
            "{next}: {}{after}",
            notice.reason
        )));
    }

    /// Prints a line, above the bars if the display has bars. A failure to print is ignored.
    pub(super) fn line(&self, line: &Printable) {
        match &self.0 {
            Mode::Quiet => {}
            Mode::Lines => stderr::lines(std::slice::from_ref(line)),
            Mode::Bars(bars) => {
                let _ = bars.println(line.as_str());
            }
        }
    }
}

/// The progress of a number of images. Its drop removes the bar.
pub(super) struct ImagesProgress(ProgressBar);

impl ImagesProgress {
    /// Counts one more image.
    pub(super) fn done(&self) {
        self.0.inc(1);
    }
}

impl Drop for ImagesProgress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// The progress of one layer. Its drop removes the bar.
pub(super) struct LayerProgress {
    bar: ProgressBar,
    display: ProgressDisplay,
    short: Printable,
}

impl ImageProgress for ProgressDisplay {
    fn layer(&self, layer: &Digest) -> Box<dyn pull::LayerProgress> {
        Box::new(Self::layer(self, layer))
    }
}

impl pull::LayerProgress for LayerProgress {
    fn wrote(&self) {
        let Self { display, short, .. } = self;
        display.line(&Printable::new(&format!(
            "Downloading layer: {short} => wrote {short}"
        )));
    }

    fn decompressed(&self, diff_id: &DiffId) {
        self.display.line(&Printable::new(&format!(
            "Downloading layer: {} => decompressed => wrote {}",
            self.short,
            diff_id.digest().short()
        )));
    }
}

/// The progress of an image that is sent to a daemon.
#[derive(Clone)]
pub(super) struct Upload(ProgressBar);

impl Upload {
    /// Starts anew, with the number of bytes to send.
    pub(super) fn expect(&self, bytes: u64) {
        self.0.reset();
        self.0.set_length(bytes);
        self.0.set_style(style(BAR));
    }

    /// Counts further bytes that were sent.
    pub(super) fn advance(&self, bytes: u64) {
        self.0.inc(bytes);
    }

    /// Removes the bar.
    pub(super) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

impl Drop for LayerProgress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for LayerProgress {
    fn expect(&self, size: u64) {
        self.bar.set_length(size);
        self.bar.set_style(style(BAR));
    }

    fn advance(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    fn restart(&self) {
        self.bar.reset();
    }
}

/// Parses a template. A wrong template gives a plain bar, and fails a test.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("size", |state: &ProgressState, out: &mut dyn Write| {
            show(state.pos(), out);
        })
        .with_key(
            "total_size",
            |state: &ProgressState, out: &mut dyn Write| {
                show(state.len().unwrap_or_default(), out);
            },
        )
        .with_key(
            "size_per_second",
            |state: &ProgressState, out: &mut dyn Write| show(whole(state.per_sec()), out),
        )
        .progress_chars("=> ")
}

fn show(bytes: u64, out: &mut dyn Write) {
    // indicatif's writer is a string, and writing to it cannot fail.
    let _ = write!(out, "{}", Size(bytes));
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, and a rate needs no fractions of a byte"
)]
fn whole(rate: f64) -> u64 {
    rate as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_right() {
        for template in [BAR, SPINNER, COUNT] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
