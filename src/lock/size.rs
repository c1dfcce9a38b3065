//! Sizes for people.

use std::fmt;

/// A number of bytes, shown with one decimal in the largest binary unit that keeps it above one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut unit = "B";
        // In tenths, so that no float is asked to be exact.
        let mut tenths = u128::from(self.0) * 10;
        for larger in ["KiB", "MiB", "GiB", "TiB"] {
            // What would round to 1024.0 is told in the next unit.
            if tenths < 10_240 {
                break;
            }
            (unit, tenths) = (larger, (tenths + 512) / 1024);
        }
        if unit == "B" {
            return f.pad(&format!("{} B", self.0));
        }
        f.pad(&format!("{}.{} {unit}", tenths / 10, tenths % 10))
    }
}

#[cfg(test)]
mod tests {
    use super::Size;

    #[test]
    fn the_unit_fits_the_number() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            (32_715_571, "31.2 MiB"),
            ((1 << 30) - 1, "1.0 GiB"),
            (1 << 40, "1.0 TiB"),
            (u64::MAX, "16777216.0 TiB"),
        ] {
            assert_eq!(Size(bytes).to_string(), text);
        }
        assert_eq!(format!("{:>9}", Size(1024)), "  1.0 KiB");
    }
}
