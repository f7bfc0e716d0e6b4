//! Plots over the number of contenders.

use crate::axis::{Axis, label};
use crate::figures::{Book, Figure};
use crate::markup::{COLOURS, STROKES, Text};
use std::collections::BTreeSet;
use std::fmt::Write as _;

const WIDTH: f64 = 720.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 44.0;
const PLOT_HEIGHT: f64 = 260.0;
const BELOW_AXIS: f64 = 44.0;
const LEGEND_LINE: f64 = 20.0;
const LEGEND_COLUMNS: usize = 2;
/// Two points make no curve.
const CROWDS_MIN: usize = 3;
const COLOUR_COUNT: usize = 8;

/// What a plot shows of figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measure {
    Rate,
    Wait,
}

impl Measure {
    const ALL: [Self; 2] = [Self::Rate, Self::Wait];

    const fn name(self) -> &'static str {
        match self {
            Self::Rate => "operations a second",
            Self::Wait => "ms that one in a hundred waits at least (p99)",
        }
    }

    const fn short(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::Wait => "wait",
        }
    }

    const fn of(self, figure: &Figure) -> f64 {
        match self {
            Self::Rate => figure.per_second,
            Self::Wait => figure.wait_us.p99 / 1_000.0,
        }
    }
}

/// Lines over the number of contenders, one for each path.
pub(crate) struct Plot {
    bench: String,
    set_up: String,
    keys: u64,
    measure: Measure,
    lines: Vec<Line>,
    /// The limits that hold for the largest crowd.
    limits: Vec<(String, f64)>,
}

struct Line {
    path: String,
    /// Contenders and what was measured.
    points: Vec<(f64, f64)>,
}

/// Every plot that a book is worth: one for each set-up, number of keys and measure with three numbers of contenders or more. What was wrong is
/// not shown.
pub(crate) fn plots(book: &Book) -> Vec<Plot> {
    let mut plots = Vec::new();
    for set_up in book.set_ups() {
        let of_set_up = || book.figures.iter().filter(|figure| figure.set_up == set_up && figure.counts());
        let all_keys: BTreeSet<u64> = of_set_up().map(|figure| figure.keys).collect();
        for keys in all_keys {
            let figures: Vec<&Figure> = of_set_up().filter(|figure| figure.keys == keys).collect();
            let crowds: BTreeSet<u64> = figures.iter().map(|figure| figure.contenders).collect();
            if crowds.len() >= CROWDS_MIN {
                let of = |measure| Plot::new(book, set_up, keys, measure, &figures);
                plots.extend(Measure::ALL.map(of).into_iter().filter(|plot| !plot.lines.is_empty()));
            }
        }
    }
    plots
}

impl Plot {
    fn new(book: &Book, set_up: &str, keys: u64, measure: Measure, figures: &[&Figure]) -> Self {
        let mut lines: Vec<Line> = Vec::new();
        for figure in figures {
            let point = (precise(figure.contenders), measure.of(figure));
            match lines.iter_mut().find(|line| line.path == figure.path) {
                Some(line) => line.points.push(point),
                None => lines.push(Line { path: figure.path.clone(), points: vec![point] }),
            }
        }
        for line in &mut lines {
            line.points.sort_by(|one, other| one.0.total_cmp(&other.0));
        }
        // A single point is no line; the table has it.
        lines.retain(|line| line.points.len() > 1);
        let largest = figures.iter().map(|figure| figure.contenders).max();
        let of_largest = figures.iter().filter(|figure| measure == Measure::Rate && Some(figure.contenders) == largest);
        let mut limits: Vec<(String, f64)> = Vec::new();
        for limit in of_largest.filter_map(|figure| figure.limit.as_ref()) {
            if limits.iter().all(|(name, _)| *name != limit.name) {
                limits.push((limit.name.clone(), limit.per_second));
            }
        }
        Self { bench: book.bench.clone(), set_up: set_up.to_owned(), keys, measure, lines, limits }
    }

    /// A name for a file: letters, digits and hyphens. A server has the same name whatever its version.
    pub(crate) fn file_name(&self) -> String {
        let is_version = |word: &&str| word.starts_with(|char: char| char.is_ascii_digit());
        let set_up: Vec<&str> = self.set_up.split(' ').filter(|word| !is_version(word)).collect();
        let text = format!("{}-{}-{}-{}", self.bench, set_up.join("-"), self.keys, self.measure.short()).to_lowercase();
        let words: Vec<&str> = text.split(|char: char| !char.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
        format!("{}.svg", words.join("-"))
    }

    fn title(&self) -> String {
        let Self { bench, set_up, keys, .. } = self;
        let keys = if *keys == 1 { "one key".to_owned() } else { format!("{keys} keys") };
        format!("{bench} on {set_up}, {keys}")
    }

    /// The plot as a file of its own.
    pub(crate) fn alone(&self) -> String {
        let look = format!(r#"<style>{COLOURS}{STROKES}</style><rect width="100%" height="100%" style="fill:var(--paper)"/>"#);
        self.draw(r#" xmlns="http://www.w3.org/2000/svg""#, &look)
    }

    /// The plot as a part of a page that says how it looks.
    pub(crate) fn inside(&self) -> String {
        self.draw("", "")
    }

    fn draw(&self, namespace: &str, look: &str) -> String {
        let crowds: BTreeSet<u64> = self.lines.iter().flat_map(|line| &line.points).map(|(crowd, _)| whole(*crowd)).collect();
        let crowds: Vec<f64> = crowds.into_iter().map(precise).collect();
        let values = self.lines.iter().flat_map(|line| &line.points).map(|(_, value)| *value);
        let x = Axis::doubling(&crowds);
        let y = Axis::over(values.chain(self.limits.iter().map(|(_, value)| *value)));
        let legend = self.lines.len().div_ceil(LEGEND_COLUMNS) + self.limits.len();
        let height = TOP + PLOT_HEIGHT + BELOW_AXIS + LEGEND_LINE * small(legend) + 8.0;
        let title = self.title();
        let mut svg = format!(
            r#"<svg{namespace} class="plot" viewBox="0 0 {WIDTH} {height}" role="img"><title>{0}</title>{look}<text class="title" x="8" y="20">{0}</text>"#,
            Text(&title)
        );
        self.draw_axes(&mut svg, &x, &y, &crowds);
        self.draw_lines(&mut svg, &x, &y);
        self.draw_legend(&mut svg);
        svg + "</svg>"
    }

    fn draw_axes(&self, svg: &mut String, x: &Axis, y: &Axis, crowds: &[f64]) {
        let bottom = TOP + PLOT_HEIGHT;
        for tick in y.ticks() {
            let at = up(y, tick);
            let _ = write!(
                svg,
                r#"<line class="grid" x1="{LEFT}" x2="{}" y1="{at:.1}" y2="{at:.1}"/><text class="faint" x="{}" y="{:.1}" text-anchor="end">{}</text>"#,
                WIDTH - RIGHT,
                LEFT - 8.0,
                at + 4.0,
                label(tick)
            );
        }
        for crowd in crowds {
            let at = along(x, *crowd);
            let _ = write!(
                svg,
                r#"<line class="grid" x1="{at:.1}" x2="{at:.1}" y1="{TOP}" y2="{bottom}"/><text class="faint" x="{at:.1}" y="{}" text-anchor="middle">{}</text>"#,
                bottom + 16.0,
                label(*crowd)
            );
        }
        let scale = if y.is_logarithmic() { "logarithmic" } else { "from zero" };
        let _ = write!(
            svg,
            r#"<text class="faint" x="{}" y="{}" text-anchor="end">contenders</text><text class="faint" x="8" y="{}">{}, {scale}</text>"#,
            WIDTH - RIGHT,
            bottom + 34.0,
            TOP - 8.0,
            Text(self.measure.name())
        );
    }

    fn draw_lines(&self, svg: &mut String, x: &Axis, y: &Axis) {
        for (number, (_, value)) in self.limits.iter().enumerate() {
            let (at, dashes) = (up(y, *value), dashes(number));
            let _ = write!(svg, r#"<line class="limit" {dashes} x1="{LEFT}" x2="{}" y1="{at:.1}" y2="{at:.1}"/>"#, WIDTH - RIGHT);
        }
        for (number, line) in self.lines.iter().enumerate() {
            let places: Vec<(f64, f64)> = line.points.iter().map(|(crowd, value)| (along(x, *crowd), up(y, *value))).collect();
            let points: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
            let colour = number % COLOUR_COUNT;
            let _ = write!(svg, r#"<polyline class="line" style="stroke:var(--c{colour})" points="{}"/>"#, points.join(" "));
            for place in places {
                svg.push_str(&mark(number, place));
            }
        }
    }

    fn draw_legend(&self, svg: &mut String) {
        let width = (WIDTH - LEFT - RIGHT) / small(LEGEND_COLUMNS);
        let place = |entry: usize| {
            let (column, line) = (entry % LEGEND_COLUMNS, entry / LEGEND_COLUMNS);
            (LEFT + width * small(column), TOP + PLOT_HEIGHT + BELOW_AXIS + 12.0 + LEGEND_LINE * small(line))
        };
        for (number, line) in self.lines.iter().enumerate() {
            let (x, y) = place(number);
            let _ = write!(svg, r#"{}<text x="{}" y="{y}">{}</text>"#, mark(number, (x, y - 4.0)), x + 14.0, Text(&line.path));
        }
        // A sentence has a line of its own.
        let first = self.lines.len().next_multiple_of(LEGEND_COLUMNS);
        for (number, (name, _)) in self.limits.iter().enumerate() {
            let (x, y) = place(first + number * LEGEND_COLUMNS);
            let (from, to, middle, dashes) = (x - 10.0, x + 8.0, y - 4.0, dashes(number));
            let _ = write!(svg, r#"<line class="limit" {dashes} x1="{from}" x2="{to}" y1="{middle}" y2="{middle}"/>"#);
            let _ = write!(svg, r#"<text class="faint" x="{}" y="{y}">limit: {}</text>"#, x + 14.0, Text(name));
        }
    }
}

/// Limits are told apart by their dashes.
fn dashes(number: usize) -> String {
    format!(r#"stroke-dasharray="{} 4""#, if number == 0 { 8 } else { 2 })
}

fn along(axis: &Axis, value: f64) -> f64 {
    LEFT + (WIDTH - LEFT - RIGHT) * axis.place(value)
}

fn up(axis: &Axis, value: f64) -> f64 {
    TOP + PLOT_HEIGHT * (1.0 - axis.place(value))
}

/// The mark of a line: lines of the same colour have other marks, and so have neighbours.
fn mark(line: usize, (x, y): (f64, f64)) -> String {
    let colour = line % COLOUR_COUNT;
    let corners: &[(f64, f64)] = match line % 5 {
        0 => return format!(r#"<circle cx="{x:.1}" cy="{y:.1}" r="4" style="fill:var(--c{colour})"/>"#),
        1 => &[(-4.0, -4.0), (4.0, -4.0), (4.0, 4.0), (-4.0, 4.0)],
        2 => &[(0.0, -5.0), (5.0, 4.0), (-5.0, 4.0)],
        3 => &[(0.0, -5.5), (5.5, 0.0), (0.0, 5.5), (-5.5, 0.0)],
        _ => &[(0.0, 5.0), (5.0, -4.0), (-5.0, -4.0)],
    };
    let points: Vec<String> = corners.iter().map(|(dx, dy)| format!("{:.1},{:.1}", x + dx, y + dy)).collect();
    format!(r#"<polygon points="{}" style="fill:var(--c{colour})"/>"#, points.join(" "))
}

#[expect(clippy::cast_precision_loss, reason = "a count of a benchmark is far below 2^52")]
const fn precise(count: u64) -> f64 {
    count as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was a count before")]
const fn whole(count: f64) -> u64 {
    count as u64
}

fn small(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
