use super::{Claim, IdempotencyRecord, StoredAnswer};
use crate::Clock;
use crate::store::{Handler, StoreError, UnitOfWork};
use async_trait::async_trait;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Turns a verdict into the answer that is stored under the key; `None` for a verdict that is not kept. It may know of the request what the
/// verdict does not say.
pub type Render<V> = Arc<dyn Fn(&V) -> Option<StoredAnswer> + Send + Sync>;

/// A command that may have come with a key.
pub struct KeyedCommand<H: Handler> {
    /// The command.
    pub command: H::Command,
    /// The key, and how its answer is made.
    pub claim: Option<(Claim, Render<H::Verdict>)>,
}

impl<H: Handler> Clone for KeyedCommand<H> {
    fn clone(&self) -> Self {
        Self { command: self.command.clone(), claim: self.claim.clone() }
    }
}

/// What became of a command that may have come with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<V> {
    /// The command was carried out now.
    Fresh(V),
    /// The same request came before: this was the answer.
    Replayed(StoredAnswer),
    /// The key came with another request before.
    KeyReused,
    /// The same request is being worked on.
    InFlight,
}

/// Wraps a handler so that commands with a known key are not carried out again. The record of a new key is written in the unit of work of
/// the change itself: there is one if and only if the change took place.
pub struct Keyed<H> {
    handler: H,
    clock: Arc<dyn Clock>,
}

impl<H: Handler> Keyed<H> {
    /// Wraps `handler`.
    pub fn new(handler: H, clock: Arc<dyn Clock>) -> Self {
        Self { handler, clock }
    }

    /// What is known of the keys of a batch: an answer for each command that must not be carried out.
    async fn known(&self, uow: &mut dyn UnitOfWork, batch: &[KeyedCommand<H>]) -> Result<Vec<Option<Answer<H::Verdict>>>, StoreError> {
        let claims: Vec<_> = batch.iter().filter_map(|keyed| keyed.claim.as_ref().map(|(claim, _)| claim.clone())).collect();
        if claims.is_empty() {
            return Ok(batch.iter().map(|_| None).collect());
        }
        let records = uow.idempotency().find(&claims).await?;
        let records: HashMap<_, _> = records.into_iter().map(|record| ((record.claim.owner, record.claim.key.clone()), record)).collect();
        let mut in_batch = HashSet::new();
        let mut answer = |(claim, _): &(Claim, _)| match records.get(&(claim.owner, claim.key.clone())) {
            Some(record) if record.claim.fingerprint == claim.fingerprint => Some(Answer::Replayed(record.answer.clone())),
            Some(_) => Some(Answer::KeyReused),
            None => (!in_batch.insert((claim.owner, claim.key.clone()))).then_some(Answer::InFlight),
        };
        Ok(batch.iter().map(|keyed| keyed.claim.as_ref().and_then(&mut answer)).collect())
    }
}

#[async_trait]
impl<H: Handler> Handler for Keyed<H> {
    type Command = KeyedCommand<H>;
    type Verdict = Answer<H::Verdict>;

    async fn handle(&self, uow: &mut dyn UnitOfWork, batch: &[KeyedCommand<H>]) -> Result<Vec<Answer<H::Verdict>>, StoreError> {
        let known = self.known(uow, batch).await?;
        let fresh: Vec<_> = batch.iter().zip(&known).filter(|(_, known)| known.is_none()).map(|(keyed, _)| keyed).collect();
        let commands: Vec<_> = fresh.iter().map(|keyed| keyed.command.clone()).collect();
        let verdicts = if commands.is_empty() { Vec::new() } else { self.handler.handle(uow, &commands).await? };

        let now = self.clock.now();
        let record = |(keyed, verdict): (&&KeyedCommand<H>, &H::Verdict)| {
            let (claim, render) = keyed.claim.as_ref()?;
            Some(IdempotencyRecord { claim: claim.clone(), answer: render(verdict)?, at: now })
        };
        let records: Vec<_> = fresh.iter().zip(&verdicts).filter_map(record).collect();
        if !records.is_empty() {
            uow.idempotency().insert(&records).await?;
        }

        let mut verdicts = verdicts.into_iter();
        Ok(known.into_iter().filter_map(|known| known.or_else(|| verdicts.next().map(Answer::Fresh))).collect())
    }

    /// The answer that is kept under the key was made before: what is concluded is not part of it.
    async fn conclude(&self, uow: &mut dyn UnitOfWork, keyed: &KeyedCommand<H>, answer: &mut Answer<H::Verdict>) -> Result<(), StoreError> {
        match answer {
            Answer::Fresh(verdict) => self.handler.conclude(uow, &keyed.command, verdict).await,
            Answer::Replayed(_) | Answer::KeyReused | Answer::InFlight => Ok(()),
        }
    }
}
