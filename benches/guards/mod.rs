//! What the benches of guards share: every guard in every crowd on every store, and whether the books are right afterwards.

mod contest;
mod goods;
mod too_early;
mod ways;

pub(crate) use contest::run;
pub(crate) use goods::{Books, Goods};
