//! Times and spans of time for people.

const HOUR: i64 = 60 * 60;

/// The seconds of a day.
pub(super) const DAY: i64 = 24 * HOUR;

/// Formats a span in the largest unit of which it has at least two.
pub(super) fn span(seconds: i64) -> String {
    let hours = seconds.max(0) / HOUR;
    let units = [
        ("years", 365 * 24),
        ("months", 30 * 24),
        ("weeks", 7 * 24),
        ("days", 24),
    ];
    match units.iter().find(|(_, length)| hours >= 2 * length) {
        Some((unit, length)) => format!("{} {unit}", hours / length),
        None if hours == 1 => "1 hour".to_owned(),
        None => format!("{hours} hours"),
    }
}

/// Formats a day of the Gregorian calendar in UTC.
pub(super) fn date(seconds: i64) -> String {
    match time::OffsetDateTime::from_unix_timestamp(seconds) {
        Ok(time) => {
            let date = time.date();
            format!(
                "{:04}-{:02}-{:02}",
                date.year(),
                u8::from(date.month()),
                date.day()
            )
        }
        Err(_) => "an unknown day".to_owned(),
    }
}

/// Formats a point in time in UTC, without seconds.
pub(super) fn minute(seconds: i64) -> String {
    let of_day = seconds.rem_euclid(DAY);
    let (hour, minute) = (of_day / HOUR, of_day % HOUR / 60);
    format!("{} {hour:02}:{minute:02} UTC", date(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_spans_are_readable() {
        for (seconds, text) in [
            (-5, "0 hours"),
            (HOUR, "1 hour"),
            (2 * DAY - 1, "47 hours"),
            (2 * DAY, "2 days"),
            (20 * DAY, "2 weeks"),
            (i64::MAX, "292471208677 years"),
        ] {
            assert_eq!(span(seconds), text);
        }
        assert_eq!(minute(0), "1970-01-01 00:00 UTC");
        assert_eq!(minute(-60), "1969-12-31 23:59 UTC");
        assert_eq!(minute(1_800_000_000), "2027-01-15 08:00 UTC");
        assert!(minute(i64::MIN).starts_with("an unknown day"));
    }
}
