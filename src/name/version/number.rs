//! Numbers of any length: some tags have numbers that no integer type holds.

use std::cmp::Ordering;
use std::fmt;

/// A number in a version, without its leading zeros.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Number(Box<str>);

impl Number {
    /// Creates a number of decimal digits. Returns `None` for any other text.
    #[must_use]
    pub fn new(digits: &str) -> Option<Self> {
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let shortest = digits.trim_start_matches('0');
        let shortest = if shortest.is_empty() { "0" } else { shortest };
        is_number.then(|| Self(shortest.into()))
    }

    /// Returns the number of digits.
    #[must_use]
    pub fn digits(&self) -> usize {
        self.0.len()
    }

    /// Returns whether the number is zero.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        &*self.0 == "0"
    }

    /// Returns whether the number can be a year in which somebody tags images.
    #[must_use]
    pub fn is_year(&self) -> bool {
        self.digits() == 4 && ("1990"..="2199").contains(&&*self.0)
    }

    /// Returns whether the number can be a date of eight digits: `20241118`.
    #[must_use]
    pub fn is_date(&self) -> bool {
        let part = |range: std::ops::Range<usize>| self.0.get(range).unwrap_or_default();
        self.digits() == 8
            && ("1990"..="2199").contains(&part(0..4))
            && ("01"..="12").contains(&part(4..6))
            && ("01"..="31").contains(&part(6..8))
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.digits(), &self.0).cmp(&(other.digits(), &other.0))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
