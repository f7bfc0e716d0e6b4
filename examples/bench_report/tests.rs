use crate::figures::{Book, Figure, Limit, Quantiles, Verdict, Waste, number};
use crate::page::page;
use crate::plot::{Plot, plots};
use roxmltree::{Document, Node, ParsingOptions};

/// Everything that could end a text or begin something else.
const NASTY: &str = "a \"guard\" & <script>alert('x')</script>\u{7}";
const NASTY_AS_SHOWN: &str = "a \"guard\" & <script>alert('x')</script> ";

fn figure(path: &str, contenders: u64, keys: u64) -> Figure {
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let rate = 1_000.0 + (contenders * 7 + keys) as f64;
    Figure {
        set_up: "Nowhere 1.2 <i>".to_owned(),
        path: path.to_owned(),
        contenders,
        keys,
        per_second: rate,
        wait_us: Quantiles { p50: 10.0, p95: 40.0, p99: 90.0, max: 12_345.0 },
        limit: Some(Limit { name: "a limit & more".to_owned(), per_second: 4_000.0 }),
        wasted: vec![Waste { what: "tries > 1".to_owned(), times: 3, per_operation: 0.25 }],
        verdict: Verdict::Right,
    }
}

fn book(bench: &str, figures: Vec<Figure>) -> Book {
    Book {
        machine: "2 cores of <nothing>".to_owned(),
        conditions: vec!["durable & synced".to_owned()],
        left_out: vec!["a server, because nobody says where".to_owned()],
        figures,
        ..Book::new(bench)
    }
}

fn books() -> Vec<Book> {
    let crowds = [1, 8, 64];
    let many = crowds.iter().flat_map(|crowd| [1, 1_000].map(|keys| (*crowd, keys)));
    let mut figures: Vec<Figure> = many.flat_map(|(crowd, keys)| [NASTY, "plain"].map(|path| figure(path, crowd, keys))).collect();
    figures.push(Figure { verdict: Verdict::Wrong("5 units < 6".to_owned()), ..figure("broken", 8, 1) });
    figures.push(Figure { verdict: Verdict::Caught("as expected".to_owned()), limit: None, ..figure("broken on purpose", 8, 1) });
    vec![book("stock_guard", figures), book("lock_paths", vec![figure("alone", 1, 1)])]
}

fn parse(text: &str) -> Document<'_> {
    Document::parse_with_options(text, ParsingOptions { allow_dtd: true, ..ParsingOptions::default() }).expect("well formed")
}

fn text(node: Node<'_, '_>) -> String {
    node.descendants().filter(Node::is_text).filter_map(|node| node.text()).collect()
}

#[test]
fn every_figure_has_a_row_in_a_well_formed_page() {
    let (books, page) = (books(), page(&books()));
    let document = parse(&page);
    let is_body_row = |node: &Node<'_, '_>| node.has_tag_name("tr") && node.parent().is_some_and(|parent| parent.has_tag_name("tbody"));
    let rows: Vec<Vec<String>> =
        document.descendants().filter(is_body_row).map(|row| row.children().filter(Node::is_element).map(text).collect()).collect();
    let figures: Vec<&Figure> = books.iter().flat_map(|book| &book.figures).collect();
    assert_eq!(rows.len(), figures.len());
    for (row, figure) in rows.iter().zip(figures) {
        let path = if figure.path == NASTY { NASTY_AS_SHOWN } else { &figure.path };
        let shown = [path.to_owned(), figure.contenders.to_string(), figure.keys.to_string(), number(figure.per_second)];
        assert_eq!(row[..4], shown);
        assert_eq!(row[7], "12,345");
        assert_eq!(row[12], "tries > 1: 0.25");
    }
    assert!(rows.iter().any(|row| row[13] == "WRONG: 5 units < 6"));
    let all = text(document.root());
    for sentence in ["On 2 cores of <nothing>.", "durable & synced", "left out: a server, because nobody says where", "Nowhere 1.2 <i>"] {
        assert!(all.contains(sentence), "{sentence}");
    }
}

#[test]
fn names_are_text_whatever_they_hold() {
    let page = page(&books());
    let document = parse(&page);
    assert!(document.descendants().all(|node| !node.has_tag_name("script") && !node.has_tag_name("i")));
    assert!(document.descendants().any(|node| node.has_tag_name("text") && text(node) == NASTY_AS_SHOWN));
}

#[test]
fn the_page_refers_to_nothing_outside_itself() {
    let page = page(&books());
    let document = parse(&page);
    let ids: Vec<&str> = document.descendants().filter_map(|node| node.attribute("id")).collect();
    for attribute in document.descendants().flat_map(|node| node.attributes()) {
        match attribute.name() {
            "href" => assert!(attribute.value().strip_prefix('#').is_some_and(|id| ids.contains(&id)), "{}", attribute.value()),
            name => assert!(!matches!(name, "src" | "srcset" | "data" | "action") && !name.starts_with("on"), "{name}"),
        }
    }
    for outside in ["http:", "https:", "url(", "@import", "//"] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn each_plot_is_a_drawing_by_itself_with_a_line_for_each_path_that_counts() {
    let books = books();
    let plots: Vec<_> = books.iter().flat_map(plots).collect();
    let names: Vec<String> = plots.iter().map(Plot::file_name).collect();
    let expected = ["1-rate", "1-wait", "1000-rate", "1000-wait"].map(|end| format!("stock-guard-nowhere-i-{end}.svg"));
    assert_eq!(names, expected);
    for plot in &plots {
        let alone = plot.alone();
        let drawing = parse(&alone);
        assert_eq!(drawing.root_element().tag_name().namespace(), Some("http://www.w3.org/2000/svg"));
        let lines: Vec<_> = drawing.descendants().filter(|node| node.tag_name().name() == "polyline").collect();
        assert_eq!(lines.len(), 2);
        for line in lines {
            assert_eq!(line.attribute("points").unwrap_or_default().split(' ').count(), 3);
        }
        assert!(alone.contains("logarithmic") || alone.contains("from zero"));
    }
}
