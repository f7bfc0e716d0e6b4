use super::contend::{Fate, assert_right, contend};
use super::ground::{Ground, SHORT};
use crate::coupon::{Coupon, IssueCoupon, IssueCoupons, IssueCouponsInPlace};
use crate::store::Random;
use crate::testing::contract::store::samples::{coupon, id, with_users, write};
use crate::testing::{Refusals, SeededRandom, judge_coupons};
use crate::{CouponId, InvalidId};
use std::sync::Arc;

/// How many users there are.
const USERS: i64 = 8;

impl Ground {
    /// A coupon of which there are so many.
    async fn coupon(&self, stock: u32) -> CouponId {
        let coupon = Coupon { initial_stock: stock, opens_at: None, ..coupon(self.next()) };
        let id = coupon.id;
        write(self.store.as_ref(), async |uow| uow.coupons().insert(&[coupon]).await).await;
        id
    }

    fn fresh<Id: TryFrom<i64, Error = InvalidId>>(&self) -> Id {
        id(self.next())
    }

    /// Commands for a coupon of which there are too few, some twice by the same user, and what becomes of those who give them.
    async fn requests(&self, round: u64) -> Vec<(IssueCoupon, Fate)> {
        let random = &SeededRandom::new(round);
        let coupon_id = self.coupon(3).await;
        let user = |random: &SeededRandom| id(1 + i64::try_from(random.up_to(USERS.unsigned_abs() - 1)).unwrap_or(0));
        let request = |fate| {
            let command = IssueCoupon { id: self.fresh(), task_id: self.fresh(), coupon_id, user_id: user(random) };
            (command, fate)
        };
        Fate::draw(round, 3 + random.up_to(6), random).map(request).collect()
    }
}

pub(super) async fn whatever_becomes_of_contenders_coupons_are_as_if_they_came_one_after_the_other(ground: &Ground) {
    with_users(ground.store.as_ref(), USERS).await;
    for seed in 0..ground.rounds {
        let in_place = IssueCouponsInPlace { clock: Arc::clone(&ground.clock) };
        let guards = ground.guards(|| IssueCoupons { clock: Arc::clone(&ground.clock) }, in_place, SHORT, Some(seed));
        let mut rounds = Vec::new();
        for (name, guard) in &guards.all {
            let commands = ground.requests(seed).await;
            rounds.push((*name, contend(ground, guard.as_ref(), commands).await));
        }
        guards.end().await;
        for (name, told) in rounds {
            let wrong = judge_coupons(ground.store.as_ref(), &told, Refusals::HaveReasons).await.expect("the store answers");
            assert_right(&wrong, name, seed);
        }
    }
    ground.assert_eventful();
}
