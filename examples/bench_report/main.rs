//! Makes one page of what `cargo bench` has measured, with plots; it opens without a network and needs no script.
//!
//! ```text
//! cargo run --release --example bench_report                            # of what is in target/commerce-figures
//! cargo run --release --example bench_report -- FOLDER --svg docs/plots # of another folder; the plots as files of their own, too
//! ```

#[expect(dead_code, reason = "figures are written and shown as text by the benches")]
#[path = "../../benches/figures/mod.rs"]
mod figures;

mod axis;
mod markup;
mod page;
mod plot;
#[cfg(test)]
mod tests;

use anyhow::Context as _;
use clap::Parser;
use figures::Book;
use std::fs;
use std::path::{Path, PathBuf};

/// Makes one page of what `cargo bench` has measured.
#[derive(Parser)]
struct Arguments {
    /// The folder with the figures [default: commerce-figures in the target directory].
    folder: Option<PathBuf>,
    /// A folder for the plots as files of their own.
    #[arg(long, value_name = "FOLDER")]
    svg: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let Arguments { folder, svg } = Arguments::parse();
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    let folder = folder.unwrap_or_else(|| Book::folder(&target));
    let books = Book::read_all(&folder).context("the figures cannot be read")?;
    anyhow::ensure!(!books.is_empty(), "there are no figures in {}: run cargo bench first", folder.display());
    let page = folder.join("report.html");
    fs::write(&page, page::page(&books)).with_context(|| format!("{} cannot be written", page.display()))?;
    println!("{}", page.canonicalize().unwrap_or(page).display());
    if let Some(folder) = svg {
        write_plots(&books, &folder).with_context(|| format!("plots cannot be written to {}", folder.display()))?;
    }
    Ok(())
}

fn write_plots(books: &[Book], folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    for plot in books.iter().flat_map(plot::plots) {
        let path = folder.join(plot.file_name());
        fs::write(&path, plot.alone())?;
        println!("{}", path.display());
    }
    Ok(())
}
