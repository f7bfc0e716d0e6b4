//! Figures as tables of text.

use super::{Book, Figure, Verdict, number};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// A table in which words stand left and numbers right.
struct Table {
    words: usize,
    rows: Vec<Vec<String>>,
}

impl Table {
    fn new(words: usize, header: &[&str]) -> Self {
        Self { words, rows: vec![header.iter().map(ToString::to_string).collect()] }
    }

    fn text(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column: usize| self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
        let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or_default()).collect();
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
                let is_last = column + 1 == row.len();
                match (column < self.words, is_last) {
                    (true, true) => cell.clone(),
                    (true, false) => format!("{cell:<width$}"),
                    (false, _) => format!("{cell:>width$}"),
                }
            });
            format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
        };
        self.rows.iter().map(line).collect()
    }
}

impl Book {
    /// Everything a book has, a line a figure, under a heading for each set-up and limit.
    pub(crate) fn in_full(&self) -> String {
        let mut text = String::new();
        for set_up in self.set_ups() {
            let mut table = Table::new(
                1,
                &[
                    "",
                    "contenders",
                    "keys",
                    "per s",
                    "limit/s",
                    "of limit",
                    "p50 µs",
                    "p95 µs",
                    "p99 µs",
                    "max µs",
                    "p99/p50",
                    "wasted/op",
                    "verdict",
                ],
            );
            let mut limits = BTreeSet::new();
            for figure in self.figures.iter().filter(|figure| figure.set_up == set_up) {
                let Figure { path, contenders, keys, per_second, wait_us, limit, .. } = figure;
                limits.extend(limit.iter().map(|limit| limit.name.as_str()));
                table.rows.push(vec![
                    path.clone(),
                    contenders.to_string(),
                    keys.to_string(),
                    number(*per_second),
                    limit.as_ref().map_or_else(String::new, |limit| number(limit.per_second)),
                    figure.ratio().map_or_else(String::new, |ratio| format!("{ratio:.2}")),
                    number(wait_us.p50),
                    number(wait_us.p95),
                    number(wait_us.p99),
                    number(wait_us.max),
                    figure.unfairness().map_or_else(String::new, number),
                    format!("{:.2}", figure.wasted_per_operation()),
                    verdict(&figure.verdict).to_owned(),
                ]);
            }
            let limits = limits.into_iter().collect::<Vec<_>>().join("; ");
            let _ = writeln!(
                text,
                "\n{} on {set_up}; limit: {}\n{}",
                self.bench,
                if limits.is_empty() { "none" } else { &limits },
                table.text().trim_end()
            );
        }
        for figure in &self.figures {
            if let Verdict::Wrong(why) | Verdict::Caught(why) = &figure.verdict {
                let Figure { set_up, path, contenders, keys, .. } = figure;
                let word = verdict(&figure.verdict);
                let _ = writeln!(text, "{word:<6} {set_up}: {path}, {contenders} contenders on {keys} keys: {why}");
            }
        }
        for sentence in &self.left_out {
            let _ = writeln!(text, "left out: {sentence}");
        }
        text
    }

    /// The rates of a book side by side for every number of contenders.
    pub(crate) fn side_by_side(&self) -> String {
        let crowds: BTreeSet<u64> = self.figures.iter().map(|figure| figure.contenders).collect();
        let crowd_names: Vec<String> = crowds.iter().map(|crowd| format!("{crowd}/s")).collect();
        let mut header = vec![self.bench.as_str(), "", "keys"];
        header.extend(crowd_names.iter().map(String::as_str));
        header.extend(["of limit", "p99/p50", "wasted/op"]);
        let mut table = Table::new(2, &header);
        for (set_up, path, keys) in self.rows() {
            let of_row = |figure: &&Figure| figure.set_up == set_up && figure.path == path && figure.keys == keys;
            let figures: Vec<&Figure> = self.figures.iter().filter(of_row).collect();
            let mut row = vec![set_up.to_owned(), path.to_owned(), keys.to_string()];
            row.extend(crowds.iter().map(|crowd| {
                let figure = figures.iter().find(|figure| figure.contenders == *crowd);
                figure.map_or_else(
                    String::new,
                    |figure| if figure.counts() { number(figure.per_second) } else { verdict(&figure.verdict).into() },
                )
            }));
            if let Some(largest) = figures.iter().max_by_key(|figure| figure.contenders) {
                row.push(largest.ratio().map_or_else(String::new, |ratio| format!("{ratio:.2}")));
                row.push(largest.unfairness().map_or_else(String::new, number));
                row.push(format!("{:.2}", largest.wasted_per_operation()));
            }
            table.rows.push(row);
        }
        table.text()
    }

    /// Every set-up, in the order in which it was measured.
    pub(crate) fn set_ups(&self) -> Vec<&str> {
        let mut set_ups = Vec::new();
        for figure in &self.figures {
            if !set_ups.contains(&figure.set_up.as_str()) {
                set_ups.push(figure.set_up.as_str());
            }
        }
        set_ups
    }

    fn rows(&self) -> Vec<(&str, &str, u64)> {
        let mut rows = Vec::new();
        for Figure { set_up, path, keys, .. } in &self.figures {
            let row = (set_up.as_str(), path.as_str(), *keys);
            if !rows.contains(&row) {
                rows.push(row);
            }
        }
        rows
    }
}

const fn verdict(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Right => "right",
        Verdict::Wrong(_) => "WRONG",
        Verdict::Caught(_) => "caught",
    }
}
