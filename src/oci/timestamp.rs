//! Points in time in image configs and lock files.
//!
//! Source: RFC 3339, section 5.6, which the OCI image specification requires for `created`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

const DAY: i64 = 24 * 60 * 60;

/// A date and a time of day with an offset. It keeps its original text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp {
    text: String,
    seconds: i64,
}

impl Timestamp {
    /// Creates a point in time from the seconds since the start of 1970 (UTC). Times that RFC 3339 cannot state become the
    /// first or last one of the years 0 to 9999.
    #[must_use]
    pub fn of_seconds(seconds: i64) -> Self {
        const FIRST: i64 = -62_167_219_200;
        const LAST: i64 = 253_402_300_799;
        let seconds = seconds.clamp(FIRST, LAST);
        let time =
            OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let text = time.format(&Rfc3339).unwrap_or_default();
        Self { text, seconds }
    }

    /// Returns the seconds since the start of 1970 (UTC), without fractions.
    #[must_use]
    pub fn seconds(&self) -> i64 {
        self.seconds
    }

    /// Returns the original text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns whether this can be a real creation time. Reproducible builds write the start of a calendar instead: the
    /// year 1 (Go), 1970 (Unix) or 1980 (MS-DOS).
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

/// Converts a text such as `2026-01-31T12:00:00.123+01:00` to seconds since 1970. `None` for any other form.
fn seconds(text: &str) -> Option<i64> {
    // RFC 3339 allows other separators by agreement. Go accepts none.
    matches!(text.as_bytes().get(10), Some(b'T' | b't')).then_some(())?;
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    Some(time.unix_timestamp())
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
#[error("`{0}` is not a point in time: write one like 2026-01-31T12:00:00Z")]
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
            ("2024-02-29T12:00:00.1234567890123Z", 1_709_208_000),
            ("2024-03-01T00:00:00-00:30", 1_709_253_000),
            // A leap second counts as the one before it.
            ("2000-12-31T23:59:60z", 978_307_199),
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
            "2024-01-01T00:00:00+1:00",
            "2024-01-01T00:00:00+24:00",
            "2024-01-01T00:00:00+00:60",
            "2024-01-01 00:00:00Z",
            "2024-01-01x00:00:00Z",
            "2024-01-01é00:00:00Z",
            "2024-1-01T00:00:00Z",
            "+024-01-01T00:00:00Z",
            "2024-01-01T00:00:00Zx",
            "2024-01-01Té:00:00Z",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn seconds_are_printed_so_that_they_are_read_again() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (1_709_208_000, "2024-02-29T12:00:00Z"),
            (i64::MIN, "0000-01-01T00:00:00Z"),
            (i64::MAX, "9999-12-31T23:59:59Z"),
        ] {
            let timestamp = Timestamp::of_seconds(seconds);
            assert_eq!(timestamp.as_str(), text);
            assert_eq!(text.parse(), Ok(timestamp));
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
    }
}
