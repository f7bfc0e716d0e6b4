//! What is read far more often than it changes is kept for the readers of all processes, and read once for all of them.
//!
//! A [`ReadCache`] keeps bytes and hands out the right to fill what is missing, to one reader at a time. Whatever is in it can be lost: a reader who
//! finds it empty, busy or out of reach asks whoever knows, as if there were none.

mod read_cache;
mod read_through;
#[cfg(test)]
mod tests;

pub use read_cache::{CacheError, FillRight, Look, ReadCache};
pub(crate) use read_through::{Kind, ReadThrough};
