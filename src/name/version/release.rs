//! The numbers of a version: `1.27.4`, the date `2024-11-07`, or the point in time `2024-11-07T00-52-20Z`.

use super::Number;

/// How the numbers of a version are written. Versions of one image that differ in this are of different schemes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Style {
    /// With dots, or one number alone.
    Dotted,
    /// As the date `2024-11-07`.
    Date,
    /// As the point in time `2024-11-07T00-52-20Z`.
    Moment,
}

/// Parses the numbers at the start of a text. Returns the rest of the text, too.
pub(super) fn parse(text: &str) -> Option<(Style, Vec<Number>, &str)> {
    date(text).or_else(|| {
        let (release, rest) = dotted(text)?;
        Some((Style::Dotted, release, rest))
    })
}

/// Parses numbers with dots between them.
pub(super) fn dotted(text: &str) -> Option<(Vec<Number>, &str)> {
    let (first, mut rest) = digits(text);
    let mut numbers = vec![Number::new(first)?];
    if let Some((update, rest)) = update(rest) {
        numbers.extend(update);
        return Some((numbers, rest));
    }
    while let Some(after) = rest.strip_prefix('.') {
        let (next, after) = digits(after);
        let Some(next) = Number::new(next) else { break };
        numbers.push(next);
        rest = after;
    }
    Some((numbers, rest))
}

/// Parses the update and the build of Java 8 after its number: `8u432`, `8u432-b06`.
fn update(text: &str) -> Option<(Vec<Number>, &str)> {
    let (update, rest) = digits(text.strip_prefix('u')?);
    let update = Number::new(update)?;
    let build = rest.strip_prefix("-b").map(digits);
    match build.and_then(|(build, rest)| Some((Number::new(build)?, rest))) {
        Some((build, rest)) => Some((vec![update, build], rest)),
        None => Some((vec![update], rest)),
    }
}

fn date(text: &str) -> Option<(Style, Vec<Number>, &str)> {
    let (year, rest) = digits(text);
    let (month, rest) = digits(rest.strip_prefix('-')?);
    let (day, rest) = digits(rest.strip_prefix('-')?);
    let year = Number::new(year).filter(Number::is_year)?;
    let mut numbers = vec![year, at_most("12", month)?, at_most("31", day)?];
    match time(rest) {
        Some((time, rest)) => {
            numbers.extend(time);
            Some((Style::Moment, numbers, rest))
        }
        None => Some((Style::Date, numbers, rest)),
    }
}

fn time(text: &str) -> Option<([Number; 3], &str)> {
    let (hour, rest) = digits(text.strip_prefix('T')?);
    let (minute, rest) = digits(rest.strip_prefix('-')?);
    let (second, rest) = digits(rest.strip_prefix('-')?);
    let time = [
        at_most("23", hour)?,
        at_most("59", minute)?,
        at_most("60", second)?,
    ];
    Some((time, rest.strip_prefix('Z')?))
}

/// Parses a number of two digits up to a greatest one.
fn at_most(greatest: &str, text: &str) -> Option<Number> {
    (text.len() == 2 && text <= greatest)
        .then(|| Number::new(text))
        .flatten()
}

/// Splits the decimal digits at the start of a text from the rest.
pub(super) fn digits(text: &str) -> (&str, &str) {
    let end = text.find(|character: char| !character.is_ascii_digit());
    text.split_at(end.unwrap_or(text.len()))
}
