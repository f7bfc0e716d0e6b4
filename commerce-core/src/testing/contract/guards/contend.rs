//! Contenders that give commands at the same time, of whom some stall or crash at a step.

use super::ground::Ground;
use crate::guard::Guard;
use crate::store::Random;
use crate::testing::{SeededRandom, Step, Steps, Told};
use async_trait::async_trait;
use futures_util::future::join_all;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Far longer than the locks of the contenders are held at most.
pub(super) const STALL: Duration = Duration::from_millis(600);
/// No command has more steps.
const STEPS_MAX: u64 = 12;

tokio::task_local! {
    static CONTENDER: Contender;
}

/// What becomes of a contender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It meets no mishap.
    Spared,
    /// It does nothing for a while at this step.
    Stalls(u32),
    /// It is gone from this step on.
    Crashes(u32),
    /// It is gone after as many milliseconds, wherever it is then: also in the middle of a step.
    Leaves(u32),
}

impl Fate {
    /// The fates of so many contenders. The first one meets every mishap at every step as the rounds go on, the others meet what chance has for
    /// them.
    pub(super) fn draw(round: u64, contenders: u64, random: &SeededRandom) -> impl Iterator<Item = Self> {
        let of = |kind: u64, step: u64| {
            let step = u32::try_from(step).unwrap_or(0);
            match kind {
                0 => Self::Stalls(step),
                1 => Self::Crashes(step),
                2 => Self::Leaves(2 * step),
                _ => Self::Spared,
            }
        };
        let first = of(round % 2, round / 2 % (STEPS_MAX + 1));
        std::iter::once(first).chain((1..contenders).map(move |_| of(random.up_to(5), random.up_to(STEPS_MAX))))
    }
}

struct Contender {
    fate: Fate,
    steps: AtomicU32,
    crashed: CancellationToken,
}

/// Mixes the steps of all contenders, and lets each meet its fate.
pub(super) struct Fates(pub(super) SeededRandom);

#[async_trait]
impl Steps for Fates {
    async fn at(&self, _step: Step) {
        sleep(Duration::from_millis(self.0.up_to(2))).await;
        let met = CONTENDER.try_with(|contender| {
            let step = contender.steps.fetch_add(1, Ordering::Relaxed);
            match contender.fate {
                Fate::Stalls(at) if at == step => (true, None),
                Fate::Crashes(at) if at == step => (false, Some(contender.crashed.clone())),
                _ => (false, None),
            }
        });
        match met {
            Ok((true, _)) => sleep(STALL).await,
            Ok((_, Some(crashed))) => {
                crashed.cancel();
                std::future::pending::<()>().await;
            }
            // Whoever works for several contenders, as a desk does, has no fate of its own.
            _ => {}
        }
    }
}

/// Gives all commands at the same time, each by a contender with a fate, and answers what each of them knows in the end.
pub(super) async fn contend<C, V>(
    ground: &Ground,
    guard: &dyn Guard<Command = C, Verdict = V>,
    commands: Vec<(C, Fate)>,
) -> Vec<(C, Told<V>)>
where
    C: Clone + Send + 'static,
    V: Send + 'static,
{
    let contenders = commands.into_iter().map(|(command, fate)| async move {
        let crashed = CancellationToken::new();
        let contender = Contender { fate, steps: AtomicU32::new(0), crashed: crashed.clone() };
        let told = tokio::select! {
            biased;
            () = crashed.cancelled() => Told::Unknown,
            () = leaves(fate) => Told::Unknown,
            outcome = CONTENDER.scope(contender, guard.run(command.clone())) => {
                ground.note(outcome.as_ref().err());
                outcome.into()
            }
        };
        ground.count(fate, crashed.is_cancelled());
        (command, told)
    });
    join_all(contenders).await
}

async fn leaves(fate: Fate) {
    match fate {
        Fate::Leaves(after_ms) => sleep(Duration::from_millis(u64::from(after_ms))).await,
        _ => std::future::pending().await,
    }
}

/// Asserts that a judge has found nothing.
pub(super) fn assert_right(wrong: &[String], guard: &str, seed: u64) {
    assert!(wrong.is_empty(), "{guard}, seed {seed}:\n{}", wrong.join("\n"));
}

/// The store and the locks of contenders whose steps are mixed by `seed`.
pub(super) fn fates(seed: u64) -> Arc<dyn Steps> {
    Arc::new(Fates(SeededRandom::new(seed)))
}
