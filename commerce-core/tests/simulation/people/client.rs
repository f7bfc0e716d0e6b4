use super::refusal::Refusal;
use crate::dice::Dice;
use crate::process::PATIENCE;
use crate::told::Fate;
use crate::world::World;
use commerce_core::store::StoreError;
use commerce_core::{CommandError, Commerce, ErrorCode, UserId};
use std::fmt;
use std::rc::Rc;
use tokio::time::timeout;

/// How a command was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome<T> {
    Done(T),
    Refused(ErrorCode),
    /// Nothing was changed.
    Failed,
    /// Whether anything was changed is not known.
    Unknown,
}

impl<T> Outcome<T> {
    pub(crate) fn of<R: Refusal>(world: &World, answer: Option<Result<T, CommandError<R>>>) -> Self {
        match answer {
            Some(Ok(value)) => Self::Done(value),
            Some(Err(CommandError::Refused(refusal))) => Self::Refused(refusal.code()),
            Some(Err(CommandError::Store(error))) => Self::failed(world, &error),
            Some(Err(CommandError::Password(_))) => Self::Failed,
            None => Self::Unknown,
        }
    }

    pub(crate) fn failed(world: &World, error: &StoreError) -> Self {
        match error {
            StoreError::Ambiguous(_) => Self::Unknown,
            StoreError::Conflict | StoreError::Unavailable(_) | StoreError::Overloaded | StoreError::Duplicate { .. } => Self::Failed,
            StoreError::Fenced { .. } | StoreError::Corrupt(_) | StoreError::Backend(_) => {
                world.broken(&format!("the shop has a defect: {error}"));
                Self::Unknown
            }
        }
    }

    pub(crate) fn map<U>(self, map: impl FnOnce(T) -> U) -> Outcome<U> {
        match self {
            Self::Done(value) => Outcome::Done(map(value)),
            Self::Refused(code) => Outcome::Refused(code),
            Self::Failed => Outcome::Failed,
            Self::Unknown => Outcome::Unknown,
        }
    }

    pub(crate) fn done(self) -> Option<T> {
        match self {
            Self::Done(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn fate(&self) -> Fate<T>
    where
        T: Clone,
    {
        match self {
            Self::Done(value) => Fate::Done(value.clone()),
            Self::Refused(_) | Self::Failed => Fate::NotDone,
            Self::Unknown => Fate::Unknown,
        }
    }
}

impl<T: fmt::Display> fmt::Display for Outcome<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(value) => write!(f, "done: {value}"),
            Self::Refused(code) => write!(f, "refused: {code}"),
            Self::Failed => f.write_str("failed: nothing was changed"),
            Self::Unknown => f.write_str("no answer"),
        }
    }
}

/// Somebody outside who talks to the shop.
pub(crate) struct Client {
    pub(crate) world: Rc<World>,
    pub(crate) name: String,
    pub(crate) dice: Dice,
}

impl Client {
    /// Asks whatever process runs. `None` if the connection was lost, whatever became of the request.
    pub(crate) async fn ask<T>(&self, work: impl AsyncFnOnce(Commerce) -> T) -> Option<T> {
        let process = self.world.any_process(&self.dice)?;
        let answer = tokio::select! {
            biased;
            () = process.plug.pulled() => None,
            answer = timeout(PATIENCE, work(process.commerce.clone())) => answer.ok(),
        };
        if answer.is_none() {
            self.world.count("client", "got no answer");
        }
        answer
    }

    /// Takes down what was asked and how it was answered.
    pub(crate) fn note<T: fmt::Display>(&self, what: &str, outcome: &Outcome<T>) {
        if let Outcome::Refused(code) = outcome {
            self.world.count("refusal", code.as_str());
        }
        self.world.note(&self.name, &format!("{what} – {outcome}"));
    }

    pub(crate) async fn pause(&self, most_ms: u64) {
        tokio::time::sleep(self.dice.millis(most_ms)).await;
    }

    /// A user that does not exist.
    pub(crate) fn nobody() -> UserId {
        UserId::new(999_999).expect("it is an id")
    }
}
