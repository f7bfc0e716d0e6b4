//! Judges of what came of commands that many gave at the same time: by the rows, by the ledger, and by what each of them was told.
//!
//! The ledger says in which order commands were carried out. One after the other in that order they have to come to exactly what is stored and what
//! everybody was told: then nothing was lost, nothing was done twice, and nothing was sold that was not there.

mod coupons;
mod points;
mod stock;

pub use coupons::judge_coupons;
pub use points::judge_points;
pub use stock::judge_stock;

use crate::guard::GuardError;
use std::collections::HashMap;
use std::fmt::Display;

/// What somebody knows of the command it gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told<V> {
    /// It was carried out, or refused.
    Verdict(V),
    /// Nothing was changed.
    Nothing,
    /// Nobody knows: the answer was lost, or nobody waited for it.
    Unknown,
}

impl<V> From<Result<V, GuardError>> for Told<V> {
    fn from(outcome: Result<V, GuardError>) -> Self {
        match outcome {
            Ok(verdict) => Self::Verdict(verdict),
            Err(error) if error.is_unknown() => Self::Unknown,
            Err(_) => Self::Nothing,
        }
    }
}

/// Whether refusals are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusals {
    /// At some moment there was a reason for each.
    HaveReasons,
    /// Some may be wrong for a while, as those of a [`CounterInFront`](crate::guard::CounterInFront) are.
    MayBeWrong,
}

/// How often each command, known by its mark, is in a ledger, and what was true after it.
struct Carried<T>(HashMap<String, Vec<T>>);

impl<T: Copy + PartialEq + Display> Carried<T> {
    fn new() -> Self {
        Self(HashMap::new())
    }

    fn add(&mut self, mark: &str, after: T) {
        self.0.entry(mark.to_owned()).or_default().push(after);
    }

    /// What is wrong with what was told of a command: what is true after it, or that nothing was changed.
    fn compare(&self, mark: &str, told: &Told<T>) -> Option<String> {
        let carried = self.0.get(mark).map_or(&[][..], Vec::as_slice);
        match (told, carried) {
            (_, [_, _, ..]) => Some(format!("{mark} was carried out {} times", carried.len())),
            (Told::Verdict(_), []) => Some(format!("{mark} was told that it was carried out, and was not: lost")),
            (Told::Nothing, [_]) => Some(format!("{mark} was told that nothing was changed, and was carried out")),
            (Told::Verdict(said), [after]) if said != after => {
                Some(format!("{mark} was told of {said}, and the ledger comes to {after} there: decided by what was not true any more"))
            }
            _ => None,
        }
    }
}
