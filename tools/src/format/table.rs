//! Tables for people: columns that fit what is in them, without lines around them.

use comfy_table::{CellAlignment, Table, presets};

/// A table with a head; the named columns hold numbers and stand on the right.
pub fn table(head: &[&str], numbers: &[usize], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(head.to_vec());
    for row in rows {
        table.add_row(row);
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        let left = if index == 0 { 0 } else { 2 };
        column.set_padding((left, 0));
        if numbers.contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    trimmed(&table.to_string())
}

/// Names and values, one pair a line.
pub fn pairs(rows: &[(&str, String)]) -> String {
    let width = rows
        .iter()
        .map(|(name, _)| name.chars().count())
        .max()
        .unwrap_or(0);
    let lines = rows
        .iter()
        .map(|(name, value)| format!("{name:width$}  {value}"));
    trimmed(&lines.collect::<Vec<_>>().join("\n"))
}

fn trimmed(text: &str) -> String {
    text.lines()
        .map(str::trim_end)
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_fit_and_numbers_stand_on_the_right() {
        let rows = vec![
            vec![
                "tenant:contoso.onmicrosoft.example".to_owned(),
                "7".to_owned(),
            ],
            vec!["order:1".to_owned(), "12".to_owned()],
        ];
        let text = table(&["subject", "events"], &[1], rows);
        insta::assert_snapshot!(text, @r"
        subject                             events
        tenant:contoso.onmicrosoft.example       7
        order:1                                 12
        ");
        let text = pairs(&[("read", "3".to_owned()), ("left out", String::new())]);
        assert_eq!(text, "read      3\nleft out");
    }
}
