//! Ages: how long a new tag or digest has to be known before it is taken.

use std::fmt;
use std::str::FromStr;

/// The units in seconds, the longest first.
const UNITS: [(char, u64); 5] = [
    ('w', 7 * 24 * 60 * 60),
    ('d', 24 * 60 * 60),
    ('h', 60 * 60),
    ('m', 60),
    ('s', 1),
];

/// The greatest age in seconds: ten years. A longer wait is a mistake.
const MAX: u64 = 3650 * 24 * 60 * 60;

/// A time that something has to be known, in whole seconds, at most ten years.
///
/// ```
/// use hocker::lock::Age;
///
/// let age: Age = "36h".parse()?;
/// assert_eq!(age.seconds(), 36 * 60 * 60);
/// assert_eq!("1w".parse::<Age>()?.to_string(), "7d");
/// # Ok::<(), hocker::lock::AgeError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Age(u64);

impl Age {
    /// No wait.
    pub const NONE: Self = Self(0);

    /// Returns the age in seconds.
    #[must_use]
    pub fn seconds(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    /// Returns whether there is no wait.
    #[must_use]
    pub fn is_none(self) -> bool {
        self.0 == 0
    }
}

impl FromStr for Age {
    type Err = AgeError;

    fn from_str(text: &str) -> Result<Self, AgeError> {
        let seconds = if text == "0" {
            Some(0)
        } else {
            UNITS.iter().find_map(|(unit, length)| {
                let number = text.strip_suffix(*unit)?;
                let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
                let number = number.parse::<u64>().ok().filter(|_| is_number)?;
                number.checked_mul(*length)
            })
        };
        match seconds {
            Some(seconds) if seconds <= MAX => Ok(Self(seconds)),
            _ => Err(AgeError(text.chars().take(40).collect())),
        }
    }
}

/// The age in the longest unit that gives a whole number, but not in weeks.
impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = |(unit, length): &(char, u64)| *unit != 'w' && self.0.is_multiple_of(*length);
        match UNITS.iter().find(|unit| whole(unit)) {
            Some((unit, length)) if self.0 > 0 => write!(f, "{}{unit}", self.0 / length),
            _ => f.write_str("0"),
        }
    }
}

/// The text is not an age.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an age: expected a number and a unit, as in 3d, 36h or 1w, at most 3650d")]
pub struct AgeError(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_read_and_printed_in_days_hours_minutes_or_seconds() {
        for (text, seconds, printed) in [
            ("0", 0, "0"),
            ("0d", 0, "0"),
            ("3d", 259_200, "3d"),
            ("72h", 259_200, "3d"),
            ("1w", 604_800, "7d"),
            ("36h", 129_600, "36h"),
            ("90m", 5_400, "90m"),
            ("61s", 61, "61s"),
            ("3650d", 315_360_000, "3650d"),
        ] {
            let age: Age = text.parse().unwrap();
            assert_eq!(
                (age.seconds(), age.to_string().as_str()),
                (seconds, printed)
            );
            assert_eq!(age.to_string().parse(), Ok(age));
        }
        for text in [
            "",
            "d",
            "3",
            "-3d",
            "+3d",
            "3 d",
            "3D",
            "1.5d",
            "3d12h",
            "3651d",
            "18446744073709551616s",
            "18446744073709551615w",
            "é",
            "３d",
        ] {
            assert!(text.parse::<Age>().is_err(), "{text}");
        }
    }
}
