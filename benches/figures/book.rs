use super::{Figure, run};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Where the figures are to be kept, if not in `commerce-figures` under the target directory.
const VARIABLE: &str = "COMMERCE_FIGURES";
const FOLDER: &str = "commerce-figures";

/// Everything a bench has measured in one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Book {
    /// The bench.
    pub(crate) bench: String,
    /// The run of `cargo bench` it belongs to.
    pub(crate) run: String,
    /// The machine.
    pub(crate) machine: String,
    /// What is to be known about the run: servers, durability, how long each setting was measured.
    pub(crate) conditions: Vec<String>,
    /// What was left out, and why.
    pub(crate) left_out: Vec<String>,
    /// What was measured.
    pub(crate) figures: Vec<Figure>,
}

impl Book {
    /// A book with nothing in it.
    pub(crate) fn new(bench: &str) -> Self {
        Self {
            bench: bench.to_owned(),
            run: run::id(),
            machine: run::machine(),
            conditions: Vec::new(),
            left_out: Vec::new(),
            figures: Vec::new(),
        }
    }

    /// Writes it as `BENCH.json` into a folder, and so replaces what an earlier run wrote; answers where.
    ///
    /// # Errors
    /// Those of the file system.
    pub(crate) fn write(&self, folder: &Path) -> io::Result<PathBuf> {
        fs::create_dir_all(folder)?;
        let path = folder.join(format!("{}.json", self.bench));
        fs::write(&path, serde_json::to_vec_pretty(self)?)?;
        Ok(path)
    }

    /// Every book in a folder, by the names of the benches; none if there is no such folder.
    ///
    /// # Errors
    /// Those of the file system; [`io::ErrorKind::InvalidData`] for a file that is no book.
    pub(crate) fn read_all(folder: &Path) -> io::Result<Vec<Self>> {
        let entries = match fs::read_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut paths: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
        paths.sort();
        let book = |path: &PathBuf| {
            let named = |error: serde_json::Error| io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", path.display()));
            serde_json::from_slice(&fs::read(path)?).map_err(named)
        };
        paths.iter().map(book).collect()
    }

    /// Whether it was written in the run of `cargo bench` that this process belongs to.
    pub(crate) fn is_of_this_run(&self) -> bool {
        self.run == run::id()
    }

    /// The folder in which benches keep their figures: that of `COMMERCE_FIGURES`, else one under `target`.
    pub(crate) fn folder(target: &Path) -> PathBuf {
        std::env::var_os(VARIABLE).map_or_else(|| target.join(FOLDER), PathBuf::from)
    }
}
