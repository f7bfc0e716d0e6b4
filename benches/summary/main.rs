//! Ends `cargo bench` with one table of everything that this run has measured.
//!
//! Cargo runs the benches of a package in the order of their names, and this one comes last; a bench that fails ends the run before, unless it is
//! told `--no-fail-fast`. By itself this one shows what was measured last.

#[expect(dead_code, reason = "figures are written by others")]
#[path = "../figures/mod.rs"]
mod figures;

use figures::{Book, measuring};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    if !measuring() {
        return ExitCode::SUCCESS;
    }
    let folder = Book::folder(Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap_or(Path::new("target")));
    let books = match Book::read_all(&folder) {
        Ok(books) => books,
        Err(error) => {
            eprintln!("error: the figures cannot be read: {error}");
            return ExitCode::FAILURE;
        }
    };
    let (of_this_run, older): (Vec<_>, Vec<_>) = books.into_iter().partition(Book::is_of_this_run);
    let shown = match (of_this_run.is_empty(), older.is_empty()) {
        (true, true) => {
            println!("nothing has been measured yet");
            return ExitCode::SUCCESS;
        }
        (true, false) => {
            println!("what was measured in earlier runs");
            older
        }
        (false, _) => of_this_run,
    };
    println!("on {}", shown[0].machine);
    for book in &shown {
        print!("\n{}", book.side_by_side());
        for sentence in &book.left_out {
            println!("left out: {sentence}");
        }
    }
    println!(
        "\nfigures are operations a second; \"of limit\", \"p99/p50\" (how unevenly waiting is shared) and \"wasted/op\" are of the largest crowd"
    );
    println!("as a page with plots: cargo run --release --example bench_report -- {}", folder.display());
    ExitCode::SUCCESS
}
