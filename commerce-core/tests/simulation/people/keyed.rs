use super::client::{Client, Outcome};
use super::refusal::Refusal;
use commerce_core::idempotency::{Answer, Claim, IdempotencyKey, KeyOwner, Keyed, KeyedCommand, Render, StoredAnswer};
use commerce_core::store::{Desk, Handler, StoreError};
use commerce_core::{Clock, Commerce, Desks, ErrorCode, Timestamp, UserId};
use std::sync::Arc;
use std::time::Duration;

const TRIES_MAX: usize = 7;
const PAUSE_MS: u64 = 1_500;
/// How long a key can be relied on.
const KEY_LIFE: Duration = Duration::from_hours(24);
const OK: u16 = 200;
const REFUSED: u16 = 422;

/// One change, for which a client may send a key.
pub(crate) struct Change<'a, H: Handler, T> {
    pub(crate) what: String,
    pub(crate) owner: Option<UserId>,
    pub(crate) desk: fn(&Desks) -> &Arc<Desk<Keyed<H>>>,
    pub(crate) number: fn(&T) -> i64,
    pub(crate) command: &'a dyn Fn(Commerce, Option<String>) -> Commands<H>,
}

/// The command of one attempt, with the ids that the process gives it.
pub(crate) type Commands<H> = futures_util::future::LocalBoxFuture<'static, Result<<H as Handler>::Command, StoreError>>;

/// What one attempt has shown.
enum Attempt {
    Answered(Outcome<i64>),
    KeyReused,
    InFlight,
    NotKnown(Outcome<i64>),
}

impl Client {
    /// Hands a change in without a key: it is tried once.
    pub(crate) async fn submit<H, T, R>(&self, change: &Change<'_, H, T>) -> Outcome<i64>
    where
        H: Handler<Verdict = Result<T, R>>,
        T: Send + 'static,
        R: Refusal,
    {
        let outcome = match self.attempt(change, None).await {
            Attempt::Answered(outcome) | Attempt::NotKnown(outcome) => outcome,
            Attempt::KeyReused | Attempt::InFlight => {
                self.world.broken(&format!("{} has no key, but was answered as if it had one", change.what));
                Outcome::Unknown
            }
        };
        self.note(&change.what, &outcome);
        outcome
    }

    /// Hands a change in with a key, again and again until its outcome is known.
    pub(crate) async fn submit_with_key<H, T, R>(&self, change: &Change<'_, H, T>) -> Outcome<i64>
    where
        H: Handler<Verdict = Result<T, R>>,
        T: Send + 'static,
        R: Refusal,
    {
        let number = self.world.told.borrow_mut().number();
        let key = format!("key-{number}");
        let (owner, fingerprint) = (change.owner.map_or(KeyOwner::Anyone, KeyOwner::User), [1; 32]);
        let claim = Claim { owner, key: IdempotencyKey::parse(&key).expect("it is a key"), fingerprint };
        let begun = self.world.clock.now();
        let what = format!("{} ({key})", change.what);
        let mut unknown = false;
        for _ in 0..TRIES_MAX {
            if self.out_of_date(begun) {
                break;
            }
            let answers = if self.dice.chance(12) {
                let (one, other) = futures_util::join!(self.attempt(change, Some(&claim)), self.attempt(change, Some(&claim)));
                vec![one, other]
            } else {
                vec![self.attempt(change, Some(&claim)).await]
            };
            let mut known = None;
            let mut too_early = false;
            for answer in answers {
                match answer {
                    // Who asks twice at once is told to wait by the process that comes second. It passes, and so is not what the key stands for.
                    Attempt::Answered(Outcome::Refused(ErrorCode::TooManyRequests)) => too_early = true,
                    Attempt::Answered(outcome) => self.same(&what, &mut known, &outcome),
                    Attempt::NotKnown(outcome) => {
                        unknown |= outcome == Outcome::Unknown;
                        self.note(&what, &outcome);
                    }
                    Attempt::InFlight => self.note(&what, &Outcome::<i64>::Refused(ErrorCode::IdempotencyKeyInFlight)),
                    Attempt::KeyReused => self.world.broken(&format!("{what} was answered as if the key were another's")),
                }
            }
            let known = known.or(too_early.then_some(Outcome::Refused(ErrorCode::TooManyRequests)));
            if let Some(outcome) = known {
                self.note(&what, &outcome);
                self.ask_again(&what, change, &claim, &outcome, begun).await;
                return outcome;
            }
            self.pause(PAUSE_MS).await;
        }
        let outcome = if unknown { Outcome::Unknown } else { Outcome::Failed };
        self.note(&what, &outcome);
        outcome
    }

    /// The same request again must get the same answer, and another one with the same key must be refused.
    async fn ask_again<H, T, R>(&self, what: &str, change: &Change<'_, H, T>, claim: &Claim, outcome: &Outcome<i64>, begun: Timestamp)
    where
        H: Handler<Verdict = Result<T, R>>,
        T: Send + 'static,
        R: Refusal,
    {
        if !self.dice.chance(30) {
            return;
        }
        self.pause(PAUSE_MS).await;
        let other = self.dice.chance(30);
        let claim = if other { Claim { fingerprint: [2; 32], ..claim.clone() } } else { claim.clone() };
        // A key is kept for a day, and whoever comes later has to know.
        if self.out_of_date(begun) || *outcome == Outcome::Refused(ErrorCode::TooManyRequests) {
            return;
        }
        match self.attempt(change, Some(&claim)).await {
            Attempt::Answered(again) if !other => {
                self.same(what, &mut Some(outcome.clone()), &again);
                self.world.count("client", "was told the same again");
            }
            Attempt::KeyReused if other => self.note(what, &Outcome::<i64>::Refused(ErrorCode::IdempotencyKeyReused)),
            Attempt::Answered(again) => self.world.broken(&format!("{what}: another request with the key was answered {again}")),
            Attempt::KeyReused => self.world.broken(&format!("{what}: the same request was taken for another")),
            Attempt::InFlight | Attempt::NotKnown(_) => {}
        }
    }

    fn same(&self, what: &str, known: &mut Option<Outcome<i64>>, answer: &Outcome<i64>) {
        let before = known.get_or_insert_with(|| answer.clone());
        self.world.must(before == answer, || format!("{what} was answered {before}, then {answer}"));
    }

    fn out_of_date(&self, begun: Timestamp) -> bool {
        self.world.clock.now().since(begun) > KEY_LIFE
    }

    async fn attempt<H, T, R>(&self, change: &Change<'_, H, T>, claim: Option<&Claim>) -> Attempt
    where
        H: Handler<Verdict = Result<T, R>>,
        T: Send + 'static,
        R: Refusal,
    {
        let (number, key) = (change.number, claim.map(|claim| claim.key.as_str().to_owned()));
        let claim = claim.map(|claim| (claim.clone(), render::<T, R>(number)));
        let answer = self
            .ask(async |commerce| {
                let command = (change.command)(commerce.clone(), key).await.map_err(Arc::new)?;
                (change.desk)(commerce.desks()).submit(KeyedCommand { command, claim }).await
            })
            .await;
        match answer {
            None => Attempt::NotKnown(Outcome::Unknown),
            Some(Err(error)) => Attempt::NotKnown(Outcome::failed(&self.world, &error)),
            Some(Ok(Answer::Fresh(Ok(value)))) => Attempt::Answered(Outcome::Done(number(&value))),
            Some(Ok(Answer::Fresh(Err(refusal)))) => Attempt::Answered(Outcome::Refused(refusal.code())),
            Some(Ok(Answer::Replayed(answer))) => {
                self.world.count("client", "was told what is stored");
                Attempt::Answered(read(&answer))
            }
            Some(Ok(Answer::KeyReused)) => Attempt::KeyReused,
            Some(Ok(Answer::InFlight)) => Attempt::InFlight,
        }
    }
}

fn render<T: Send + 'static, R: Refusal>(number: fn(&T) -> i64) -> Render<Result<T, R>> {
    Arc::new(move |verdict: &Result<T, R>| {
        let (status, body) = match verdict {
            Ok(value) => (OK, number(value).to_string()),
            // What passes by itself is not kept.
            Err(refusal) if refusal.code() == ErrorCode::TooManyRequests => return None,
            Err(refusal) => (REFUSED, refusal.code().to_string()),
        };
        Some(StoredAnswer { status, location: None, body: body.into_bytes() })
    })
}

fn read(answer: &StoredAnswer) -> Outcome<i64> {
    let body = String::from_utf8_lossy(&answer.body);
    match answer.status {
        OK => body.parse().map_or(Outcome::Unknown, Outcome::Done),
        _ => ErrorCode::parse(&body).map_or(Outcome::Unknown, Outcome::Refused),
    }
}
