//! Sizes in messages, in the form that Docker prints.

use std::fmt;

/// Decimal units, each 1000 times the one before it. `u64::MAX` bytes are 18.4EB.
const UNITS: [&str; 7] = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];

/// A number of bytes, shown with three significant digits and a decimal unit: `160B`, `1.2GB`, `151MB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = u128::from(self.0);
        let mut scale = 1;
        for unit in UNITS {
            // Integers only: floating point numbers cannot hold every size.
            for decimals in [100, 10, 1] {
                let rounded = (bytes * decimals + scale / 2) / scale;
                if rounded < 1000 {
                    return f.pad(&format!("{}{unit}", number(rounded, decimals)));
                }
            }
            scale *= 1000;
        }
        f.pad(&format!("{bytes}B"))
    }
}

/// Returns `value / parts` as a decimal number without trailing zeros.
fn number(value: u128, parts: u128) -> String {
    let (whole, rest) = (value / parts, value % parts);
    match parts {
        100 if rest % 10 != 0 => format!("{whole}.{rest:02}"),
        100 if rest != 0 => format!("{whole}.{}", rest / 10),
        10 if rest != 0 => format!("{whole}.{rest}"),
        _ => whole.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::Size;

    #[test]
    fn sizes_have_three_significant_digits_and_the_unit_that_fits() {
        for (bytes, text) in [
            (0, "0B"),
            (7, "7B"),
            (160, "160B"),
            (999, "999B"),
            (1000, "1kB"),
            (1024, "1.02kB"),
            (1536, "1.54kB"),
            (9_994, "9.99kB"),
            (9_996, "10kB"),
            (99_960, "100kB"),
            (999_499, "999kB"),
            (999_500, "1MB"),
            (32_715_571, "32.7MB"),
            (151_000_000, "151MB"),
            (1_200_000_000, "1.2GB"),
            (1_010_000_000, "1.01GB"),
            (1 << 40, "1.1TB"),
            (u64::MAX, "18.4EB"),
        ] {
            assert_eq!(Size(bytes).to_string(), text, "{bytes}");
        }
    }

    #[test]
    fn a_column_of_sizes_can_be_aligned() {
        assert_eq!(format!("{:>9}", Size(1024)), "   1.02kB");
    }
}
