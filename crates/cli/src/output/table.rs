//! Tables for people, fitted to the terminal.

use comfy_table::{CellAlignment, ContentArrangement, Table as Grid, presets};

/// Longer texts are cut when the table goes to a terminal …
const TERMINAL_CELL: usize = 40;
/// … and when it goes elsewhere.
const FILE_CELL: usize = 100;
const GAP: u16 = 2;

/// How a column stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    /// Texts.
    Left,
    /// Numbers.
    Right,
}

/// A table being filled: columns first, then rows of as many cells.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<(String, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table of these columns.
    pub(crate) fn new(columns: impl IntoIterator<Item = (impl Into<String>, Align)>) -> Self {
        let columns = columns.into_iter().map(|(name, align)| (name.into(), align)).collect();
        Self { columns, rows: Vec::new() }
    }

    /// Adds a row: a cell for each column.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// The table as lines for this terminal width; `None` is no terminal, where every column is shown.
    ///
    /// Columns that do not fit are left out from the right, and a last line says which.
    pub(crate) fn render(&self, width: Option<usize>) -> String {
        let longest = if width.is_some() { TERMINAL_CELL } else { FILE_CELL };
        let whole = self.grid(self.columns.len(), longest);
        let Some(width) = width else { return lines(&whole) };
        let fitting = fitting(&whole.column_max_content_widths(), width);
        let left_out: Vec<&str> = self.columns.iter().skip(fitting).map(|(name, _)| name.as_str()).collect();
        if left_out.is_empty() {
            return lines(&whole);
        }
        let note = cut(&format!("not shown: {}", left_out.join(", ")), width);
        format!("{}{note}\n", lines(&self.grid(fitting, longest)))
    }

    /// The first columns as a grid.
    fn grid(&self, columns: usize, longest: usize) -> Grid {
        let mut grid = Grid::new();
        grid.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        grid.set_header(self.columns.iter().take(columns).map(|(name, _)| cut(name, longest)));
        for row in &self.rows {
            grid.add_row(row.iter().take(columns).map(|cell| cut(cell, longest)));
        }
        for (column, (_, align)) in grid.column_iter_mut().zip(&self.columns) {
            column.set_padding((0, GAP));
            column.set_cell_alignment(match align {
                Align::Left => CellAlignment::Left,
                Align::Right => CellAlignment::Right,
            });
        }
        grid
    }
}

/// How many columns of these widths fit into a line; at least one.
fn fitting(widths: &[u16], line: usize) -> usize {
    let mut used = 0;
    for (index, width) in widths.iter().enumerate() {
        used += usize::from(*width);
        if used > line && index > 0 {
            return index;
        }
        used += usize::from(GAP);
    }
    widths.len()
}

fn lines(grid: &Grid) -> String {
    grid.lines().fold(String::new(), |mut text, line| {
        text.push_str(line.trim_end());
        text.push('\n');
        text
    })
}

/// The text on one line, cut to `longest` characters.
fn cut(text: &str, longest: usize) -> String {
    let text = one_line(text);
    if text.chars().count() <= longest {
        return text;
    }
    let mut short: String = text.chars().take(longest.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// Control characters, which could move the cursor or colour what follows, become spaces.
pub(super) fn one_line(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

/// The width of the terminal that standard output goes to; `None` if it goes elsewhere.
pub(crate) fn terminal_width() -> Option<usize> {
    Grid::new().width().map(usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new([("stream", Align::Left), ("read", Align::Right), ("note", Align::Left)]);
        table.row(["airports", "1,458", "all of them"]);
        table.row(["π", "7", "a\u{1b}[31m\nb"]);
        table
    }

    #[test]
    fn columns_are_aligned_and_control_characters_are_gone() {
        insta::assert_snapshot!(table().render(None), @r"
        stream     read  note
        airports  1,458  all of them
        π             7  a [31m b
        ");
    }

    #[test]
    fn columns_that_do_not_fit_are_named_instead() {
        insta::assert_snapshot!(table().render(Some(16)), @r"
        stream     read
        airports  1,458
        π             7
        not shown: note
        ");
    }

    #[test]
    fn long_cells_are_cut() {
        let mut table = Table::new([("a", Align::Left)]);
        table.row(["é".repeat(200)]);
        assert_eq!(table.render(None).lines().nth(1).unwrap().chars().count(), FILE_CELL);
        assert!(table.render(Some(10)).contains(&format!("{}…", "é".repeat(TERMINAL_CELL - 1))));
    }
}
