use super::contend::{Fate, assert_right, contend};
use super::ground::{Ground, SHORT};
use crate::UserId;
use crate::point::{Charge, ChargeAmount, ChargeInPlace, ChargePoints, PointAccount};
use crate::store::Random;
use crate::testing::contract::store::samples::{id, write};
use crate::testing::{SeededRandom, judge_points};
use std::sync::Arc;

impl Ground {
    /// Somebody without points.
    async fn account(&self) -> UserId {
        let user = id(self.next());
        write(self.store.as_ref(), async |uow| uow.points().open(&[PointAccount::open(user)]).await).await;
        user
    }

    /// Commands for two accounts, and what becomes of those who give them.
    async fn charges(&self, round: u64) -> Vec<(ChargePoints, Fate)> {
        let random = &SeededRandom::new(round);
        let users = [self.account().await, self.account().await];
        let charge = |fate| {
            let amount = ChargeAmount::new(1_000 + i64::try_from(random.up_to(9)).unwrap_or(0)).expect("a valid charge");
            let user_id = users[usize::from(random.happens(30))];
            let charge = ChargePoints { user_id, amount, idempotency_key: Some(format!("command {}", self.next())) };
            (charge, fate)
        };
        Fate::draw(round, 3 + random.up_to(6), random).map(charge).collect()
    }
}

pub(super) async fn whatever_becomes_of_contenders_balances_are_as_if_they_came_one_after_the_other(ground: &Ground) {
    for seed in 0..ground.rounds {
        let in_place = ChargeInPlace { clock: Arc::clone(&ground.clock) };
        let guards = ground.guards(|| Charge { clock: Arc::clone(&ground.clock) }, in_place, SHORT, Some(seed));
        let mut rounds = Vec::new();
        for (name, guard) in &guards.all {
            let commands = ground.charges(seed).await;
            rounds.push((*name, contend(ground, guard.as_ref(), commands).await));
        }
        guards.end().await;
        for (name, told) in rounds {
            let wrong = judge_points(ground.store.as_ref(), &told).await.expect("the store answers");
            assert_right(&wrong, name, seed);
        }
    }
    ground.assert_eventful();
}
