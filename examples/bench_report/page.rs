//! The page.

use crate::figures::{Book, Figure, Limit, Verdict, number};
use crate::markup::{COLOURS, STROKES, Text};
use crate::plot::plots;
use std::fmt::Write as _;

const LOOK: &str = "body{margin:0 auto;max-width:76rem;padding:1rem 1.5rem 4rem;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}\
h1,h2,h3{line-height:1.2}h2{margin-top:3rem}nav a{color:var(--c0);margin-right:1rem}\
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,32rem),1fr));gap:1rem}.plot{width:100%;height:auto}\
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums}\
th,td{padding:.25rem .6rem;text-align:left;white-space:nowrap;border-bottom:1px solid var(--rule)}th{color:var(--faint);font-weight:600}\
.n{text-align:right}.bad{color:var(--bad);font-weight:600}.faint,li{color:var(--faint)}td.long{white-space:normal;min-width:14rem}";

const COLUMNS: [&str; 14] = [
    "path",
    "contenders",
    "keys",
    "per second",
    "p50 µs",
    "p95 µs",
    "p99 µs",
    "max µs",
    "p99/p50",
    "limit per second",
    "of limit",
    "limit",
    "done in vain, per operation",
    "books",
];

/// One page that needs nothing else: every figure of every book, and plots.
pub(crate) fn page(books: &[Book]) -> String {
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/><meta name=\"viewport\" content=\"width=device-width\"/>\
         <title>What cargo bench has measured</title><style>{COLOURS}{STROKES}{LOOK}</style></head>\n<body><h1>What cargo bench has measured</h1>"
    );
    let mut machines: Vec<&str> = books.iter().map(|book| book.machine.as_str()).collect();
    machines.dedup();
    for machine in machines {
        let _ = write!(page, "<p>On {}.</p>", Text(machine));
    }
    page.push_str("<nav>");
    for book in books {
        let _ = write!(page, "<a href=\"#{0}\">{0}</a>", Text(&book.bench));
    }
    page.push_str(
        "</nav>\n<p>Each path is shown with its limit: something simpler on the same machine, disk or server, measured in the same run. How much longer \
         one in a hundred waits than half of them do (p99/p50) says how evenly the waiting is shared. What does not keep the books right does not count.</p>",
    );
    for book in books {
        section(&mut page, book);
    }
    page + "</body></html>\n"
}

fn section(page: &mut String, book: &Book) {
    let _ = write!(page, "\n<section><h2 id=\"{0}\">{0}</h2><ul>", Text(&book.bench));
    for sentence in &book.conditions {
        let _ = write!(page, "<li>{}</li>", Text(sentence));
    }
    for sentence in &book.left_out {
        let _ = write!(page, "<li>left out: {}</li>", Text(sentence));
    }
    page.push_str("</ul><div class=\"plots\">");
    for plot in plots(book) {
        let _ = write!(page, "\n<figure style=\"margin:0\">{}</figure>", plot.inside());
    }
    page.push_str("</div>");
    for set_up in book.set_ups() {
        let _ = write!(page, "\n<h3>{}</h3><div class=\"wide\"><table><thead><tr>", Text(set_up));
        for (at, column) in COLUMNS.iter().enumerate() {
            let class = if is_number(at) { " class=\"n\"" } else { "" };
            let _ = write!(page, "<th scope=\"col\"{class}>{column}</th>");
        }
        page.push_str("</tr></thead><tbody>");
        for figure in book.figures.iter().filter(|figure| figure.set_up == set_up) {
            row(page, figure);
        }
        page.push_str("</tbody></table></div>");
    }
    page.push_str("</section>");
}

const fn is_number(column: usize) -> bool {
    matches!(column, 1..=10)
}

fn row(page: &mut String, figure: &Figure) {
    let Figure { path, contenders, keys, per_second, wait_us, limit, wasted, verdict, .. } = figure;
    let (limit_rate, limit_name) =
        limit.as_ref().map_or_else(Default::default, |Limit { name, per_second }| (number(*per_second), name.clone()));
    let wasted: Vec<String> = wasted.iter().map(|waste| format!("{}: {:.2}", waste.what, waste.per_operation)).collect();
    let (class, books) = match verdict {
        Verdict::Right => ("", "right".to_owned()),
        Verdict::Wrong(why) => (" class=\"bad\"", format!("WRONG: {why}")),
        Verdict::Caught(why) => ("", format!("wrong on purpose, and caught: {why}")),
    };
    let cells = [
        path.clone(),
        contenders.to_string(),
        keys.to_string(),
        number(*per_second),
        number(wait_us.p50),
        number(wait_us.p95),
        number(wait_us.p99),
        number(wait_us.max),
        figure.unfairness().map_or_else(String::new, number),
        limit_rate,
        figure.ratio().map_or_else(String::new, |ratio| format!("{ratio:.2}")),
        limit_name,
        wasted.join("; "),
        books,
    ];
    let _ = write!(page, "\n<tr{class}>");
    for (at, cell) in cells.iter().enumerate() {
        let class = if is_number(at) {
            " class=\"n\""
        } else if at > 10 {
            " class=\"long\""
        } else {
            ""
        };
        let _ = write!(page, "<td{class}>{}</td>", Text(cell));
    }
    page.push_str("</tr>");
}
