//! Tables whose columns are as wide as their widest cell.

use hocker::printable::Printable;

/// Formats rows, the first of which has the headings. The columns with the indexes `right` are aligned right.
pub(super) fn table(rows: &[Vec<String>], right: &[usize]) -> Vec<Printable> {
    let printable = |cell: &String| Printable::of_any_length(cell);
    let rows: Vec<Vec<_>> = rows
        .iter()
        .map(|row| row.iter().map(printable).collect())
        .collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells
            .map(|cell| cell.as_str().chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<_> = (0..columns).map(width).collect();
    let lines = rows.iter().map(|row| {
        let cells = row.iter().zip(&widths).enumerate();
        let cells = cells.map(|(column, (cell, width))| {
            if right.contains(&column) {
                format!("{cell:>width$}")
            } else {
                format!("{cell:<width$}")
            }
        });
        let line = cells.collect::<Vec<_>>().join("  ");
        Printable::of_any_length(line.trim_end())
    });
    lines.collect()
}
