//! Points in time as configurations write them.
//!
//! Source: RFC 3339, section 5.6, which the OCI image specification demands for `created`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

const DAY: i64 = 24 * 60 * 60;

/// A date and a time of day with its offset, in the text that somebody wrote it in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp {
    text: String,
    seconds: i64,
}

impl Timestamp {
    /// Seconds since the beginning of 1970; fractions are dropped.
    #[must_use]
    pub fn seconds(&self) -> i64 {
        self.seconds
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether this says anything of when something was made: not so the beginnings of calendars, which
    /// reproducible builds write (the year 1 of Go, 1970 of Unix, 1980 of MS-DOS).
    #[must_use]
    pub fn is_meaningful(&self) -> bool {
        const BEGIN_OF_1980: i64 = 315_532_800;
        self.seconds > BEGIN_OF_1980 + DAY
    }
}

impl FromStr for Timestamp {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        match seconds(text) {
            Some(seconds) => Ok(Self {
                text: text.to_owned(),
                seconds,
            }),
            None => Err(ParseError(text.chars().take(60).collect())),
        }
    }
}

/// `2026-01-31T12:00:00.123+01:00` in seconds since 1970; `None` if it is not that.
fn seconds(text: &str) -> Option<i64> {
    let (date, rest) = text.split_once(['T', 't'])?;
    let (time, offset) = rest.split_at_checked(8)?;
    let offset = match offset.strip_prefix('.') {
        Some(fraction) => {
            let offset = fraction.trim_start_matches(|digit: char| digit.is_ascii_digit());
            let digits = fraction.len() - offset.len();
            ((1..=12).contains(&digits)).then_some(offset)?
        }
        None => offset,
    };
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let offset = match offset.split_at_checked(1)? {
        ("Z" | "z", "") => 0,
        (sign @ ("+" | "-"), offset) => {
            let [hours, minutes] = numbers(offset, ':', [2, 2])?;
            let seconds = within(hours, 0..=23)? * 3600 + within(minutes, 0..=59)? * 60;
            if sign == "+" { seconds } else { -seconds }
        }
        _ => return None,
    };
    let days = days_since_1970(year, within(month, 1..=12)?, day)?;
    let time =
        within(hour, 0..=23)? * 3600 + within(minute, 0..=59)? * 60 + within(second, 0..=60)?;
    Some(days * DAY + time - offset)
}

/// Numbers of just so many digits each.
fn numbers<const N: usize>(text: &str, separator: char, digits: [usize; N]) -> Option<[i64; N]> {
    let mut parts = text.split(separator);
    let mut numbers = [0; N];
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let part = parts.next()?;
        let sound = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        *number = sound.then(|| part.parse().ok())??;
    }
    parts.next().is_none().then_some(numbers)
}

fn within(number: i64, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
    range.contains(&number).then_some(number)
}

/// In the Gregorian calendar. The year is counted from March, so that a leap day is the last of one.
fn days_since_1970(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let day = within(day, 1..=length)?;
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // The first of March of year 0 is so many days before 1970.
    Some(year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for Timestamp {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(timestamp: Timestamp) -> Self {
        timestamp.text
    }
}

/// A text that is not a point in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a point in time: it reads like 2026-01-31T12:00:00Z")]
pub struct ParseError(String);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_dates_times_fractions_and_offsets() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2024-02-29T12:00:00Z", 1_709_208_000),
            ("2024-02-29T13:00:00.123456789+01:00", 1_709_208_000),
            ("2024-03-01T00:00:00-00:30", 1_709_253_000),
            ("2000-12-31T23:59:60z", 978_307_200),
            ("0001-01-01T00:00:00Z", -62_135_596_800),
            ("9999-12-31t23:59:59Z", 253_402_300_799),
        ] {
            let timestamp: Timestamp = text.parse().unwrap();
            assert_eq!(timestamp.seconds(), seconds, "{text}");
            assert_eq!(timestamp.to_string(), text);
        }
    }

    #[test]
    fn refuses_what_is_no_date() {
        for text in [
            "",
            "2024-02-30T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2024-13-01T00:00:00Z",
            "2024-00-01T00:00:00Z",
            "2024-01-01T24:00:00Z",
            "2024-01-01T00:00:00",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00:00:00.1234567890123Z",
            "2024-01-01T00:00:00+1:00",
            "2024-01-01T00:00:00+24:00",
            "2024-01-01 00:00:00Z",
            "2024-1-01T00:00:00Z",
            "+024-01-01T00:00:00Z",
            "2024-01-01T00:00:00Zx",
            "2024-01-01Té:00:00Z",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_beginnings_of_calendars_say_nothing() {
        for (text, meaningful) in [
            ("0001-01-01T00:00:00Z", false),
            ("1970-01-01T00:00:01Z", false),
            ("1980-01-01T00:00:01Z", false),
            ("2013-06-13T14:03:50Z", true),
        ] {
            assert_eq!(
                text.parse::<Timestamp>().unwrap().is_meaningful(),
                meaningful
            );
        }
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused_without_a_panic(text in "\\PC{0,40}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\PC{0,8}") {
            let _ = text.parse::<Timestamp>();
        }

        #[test]
        fn days_follow_each_other(year in 1i64..=9998, month in 1i64..=12, day in 1i64..=31) {
            if let Some(number) = days_since_1970(year, month, day) {
                let next = days_since_1970(year, month, day + 1)
                    .or_else(|| days_since_1970(year, month + 1, 1).filter(|_| month < 12))
                    .or_else(|| days_since_1970(year + 1, 1, 1));
                prop_assert_eq!(next, Some(number + 1));
            }
        }
    }
}
