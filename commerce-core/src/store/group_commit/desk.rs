use super::super::{Handler, StoreError, UnitOfWork};
use super::lot::{Halves, Lot, Source};
use super::{Bell, GroupCommitLimits};
use crate::guard::Tally;
use async_trait::async_trait;
use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

type Outcome<H> = Result<<H as Handler>::Verdict, Arc<StoreError>>;

struct Waiting<H: Handler> {
    command: H::Command,
    reply: oneshot::Sender<Outcome<H>>,
}

/// Where commands for one handler queue until they are committed together.
pub struct Desk<H: Handler> {
    handler: Arc<H>,
    queue: Mutex<Queue<H>>,
    bell: Arc<Bell>,
    limits: GroupCommitLimits,
    tally: Arc<Tally>,
}

struct Queue<H: Handler> {
    open: bool,
    waiting: VecDeque<Waiting<H>>,
}

impl<H: Handler> Desk<H> {
    pub(super) fn new(handler: H, bell: Arc<Bell>, limits: GroupCommitLimits) -> Self {
        let queue = Mutex::new(Queue { open: true, waiting: VecDeque::new() });
        Self { handler: Arc::new(handler), queue, bell, limits, tally: Arc::default() }
    }

    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Queues a command and waits until it is committed. Once queued it is carried out even if the caller stops waiting.
    ///
    /// # Errors
    /// [`StoreError::Overloaded`] if too many commands wait; else what the store said.
    pub async fn submit(&self, command: H::Command) -> Result<H::Verdict, Arc<StoreError>> {
        let [verdict] = self.enqueue::<[H::Command; 1]>([command])?;
        received::<H>(verdict.await)
    }

    /// Queues commands in order and waits for all of them; each has an outcome of its own.
    ///
    /// # Errors
    /// [`StoreError::Overloaded`] if too many commands wait: then none was queued.
    pub async fn submit_all(&self, commands: Vec<H::Command>) -> Result<Vec<Outcome<H>>, Arc<StoreError>> {
        let mut outcomes = Vec::with_capacity(commands.len());
        for verdict in self.enqueue::<Vec<H::Command>>(commands)? {
            outcomes.push(received::<H>(verdict.await));
        }
        Ok(outcomes)
    }

    fn enqueue<C: Commands<H>>(&self, commands: C) -> Result<C::Replies, Arc<StoreError>> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        // Many that come as one are taken by an empty desk, however low the limit is: else they would be refused for ever.
        let full = !queue.waiting.is_empty() && queue.waiting.len() + commands.count() > self.limits.waiting_commands_max;
        if !queue.open || full {
            return Err(Arc::new(StoreError::Overloaded));
        }
        self.bell.waiting.fetch_add(commands.count(), Ordering::Relaxed);
        let replies = commands.queue(&mut queue.waiting);
        drop(queue);
        self.bell.rung.notify_one();
        Ok(replies)
    }
}

/// One command or many: the many need a vector, the one does not.
trait Commands<H: Handler> {
    type Replies;
    fn count(&self) -> usize;
    fn queue(self, waiting: &mut VecDeque<Waiting<H>>) -> Self::Replies;
}

fn push_one<H: Handler>(command: H::Command, waiting: &mut VecDeque<Waiting<H>>) -> oneshot::Receiver<Outcome<H>> {
    let (reply, verdict) = oneshot::channel();
    waiting.push_back(Waiting { command, reply });
    verdict
}

impl<H: Handler> Commands<H> for [H::Command; 1] {
    type Replies = [oneshot::Receiver<Outcome<H>>; 1];
    fn count(&self) -> usize {
        1
    }
    fn queue(self, waiting: &mut VecDeque<Waiting<H>>) -> Self::Replies {
        self.map(|command| push_one(command, waiting))
    }
}

impl<H: Handler> Commands<H> for Vec<H::Command> {
    type Replies = Vec<oneshot::Receiver<Outcome<H>>>;
    fn count(&self) -> usize {
        self.len()
    }
    fn queue(self, waiting: &mut VecDeque<Waiting<H>>) -> Self::Replies {
        self.into_iter().map(|command| push_one(command, waiting)).collect()
    }
}

fn received<H: Handler>(outcome: Result<Outcome<H>, oneshot::error::RecvError>) -> Outcome<H> {
    outcome.unwrap_or_else(|gone| Err(Arc::new(StoreError::Ambiguous(gone.into()))))
}

impl<H: Handler> Source for Desk<H> {
    fn take(&self, commands_max: usize) -> Option<Box<dyn Lot>> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let count = queue.waiting.len().min(commands_max);
        if count == 0 {
            return None;
        }
        let (commands, replies) = queue.waiting.drain(..count).map(|waiting| (waiting.command, waiting.reply)).unzip();
        self.bell.waiting.fetch_sub(count, Ordering::Relaxed);
        if !queue.waiting.is_empty() {
            self.bell.rung.notify_one();
        }
        let (handler, tally) = (Arc::clone(&self.handler), Arc::clone(&self.tally));
        Some(Box::new(DeskLot { handler, tally, rolled_back: false, commands, replies, verdicts: Vec::new() }))
    }

    fn close(&self) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).open = false;
    }
}

struct DeskLot<H: Handler> {
    handler: Arc<H>,
    tally: Arc<Tally>,
    /// Whether it is run again because its unit of work was rolled back.
    rolled_back: bool,
    commands: Vec<H::Command>,
    replies: Vec<oneshot::Sender<Outcome<H>>>,
    verdicts: Vec<H::Verdict>,
}

#[async_trait]
impl<H: Handler> Lot for DeskLot<H> {
    fn len(&self) -> usize {
        self.commands.len()
    }

    async fn run(&mut self, uow: &mut dyn UnitOfWork) -> Result<(), StoreError> {
        self.tally.attempt();
        if std::mem::replace(&mut self.rolled_back, true) {
            self.tally.conflict();
        }
        self.verdicts.clear();
        self.verdicts = self.handler.handle(uow, &self.commands).await?;
        assert_eq!(self.verdicts.len(), self.commands.len(), "a handler answers one verdict for each command");
        Ok(())
    }

    async fn conclude(&mut self, uow: &mut dyn UnitOfWork) -> Result<(), StoreError> {
        for (command, verdict) in self.commands.iter().zip(&mut self.verdicts) {
            self.handler.conclude(uow, command, verdict).await?;
        }
        Ok(())
    }

    fn settle(self: Box<Self>) {
        self.tally.served(self.commands.len());
        // A caller that stopped waiting has dropped its receiver: nobody is left to be told.
        for (reply, verdict) in self.replies.into_iter().zip(self.verdicts) {
            let _gone = reply.send(Ok(verdict));
        }
    }

    fn fail(self: Box<Self>, error: &Arc<StoreError>) {
        for reply in self.replies {
            let _gone = reply.send(Err(Arc::clone(error)));
        }
    }

    fn split(mut self: Box<Self>) -> Halves {
        if self.commands.len() < 2 {
            return Err(self);
        }
        let half = self.commands.len() / 2;
        let commands = self.commands.split_off(half);
        let replies = self.replies.split_off(half);
        let (handler, tally, rolled_back) = (Arc::clone(&self.handler), Arc::clone(&self.tally), self.rolled_back);
        let second = Self { handler, tally, rolled_back, commands, replies, verdicts: Vec::new() };
        Ok((self, Box::new(second)))
    }
}
