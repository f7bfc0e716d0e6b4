use super::contend::{Fate, assert_right, contend};
use super::ground::{Ground, SHORT};
use crate::OptionId;
use crate::stock::{AdjustStock, Stock, StockAdjustment, StockAdjustmentInPlace, StockQuantity};
use crate::store::Random;
use crate::testing::contract::store::samples::{NOW, id, write};
use crate::testing::{Refusals, SeededRandom, judge_stock};
use std::sync::Arc;

impl Ground {
    /// An option with so many units.
    pub(super) async fn option(&self, units: i64) -> OptionId {
        let option = id(self.next());
        let (stock, first) = Stock::open(option, StockQuantity::new(units).expect("few units"), NOW);
        write(self.store.as_ref(), async |uow| uow.stock().open(&[stock], &[first]).await).await;
        option
    }

    /// A command that the ledger knows by its reason.
    pub(super) fn adjustment(&self, option_id: OptionId, delta: i64) -> AdjustStock {
        AdjustStock { option_id, delta, reason: format!("command {}", self.next()) }
    }

    /// Commands for two options, of which there is too little, and what becomes of those who give them.
    pub(super) async fn adjustments(&self, round: u64) -> Vec<(AdjustStock, Fate)> {
        let random = &SeededRandom::new(round);
        let options = [self.option(4).await, self.option(2).await];
        let units = |random: &SeededRandom| i64::try_from(random.up_to(4)).unwrap_or(0) - 3;
        let fates = Fate::draw(round, 3 + random.up_to(6), random);
        fates.map(|fate| (self.adjustment(options[usize::from(random.happens(30))], units(random)), fate)).collect()
    }
}

pub(super) async fn whatever_becomes_of_contenders_stock_is_as_if_they_came_one_after_the_other(ground: &Ground) {
    for seed in 0..ground.rounds {
        let in_place = StockAdjustmentInPlace { clock: Arc::clone(&ground.clock) };
        let guards = ground.guards(|| StockAdjustment { clock: Arc::clone(&ground.clock) }, in_place, SHORT, Some(seed));
        let mut rounds = Vec::new();
        for (name, guard) in &guards.all {
            let commands = ground.adjustments(seed).await;
            rounds.push((*name, contend(ground, guard.as_ref(), commands).await));
        }
        guards.end().await;
        for (name, told) in rounds {
            let wrong = judge_stock(ground.store.as_ref(), &told, Refusals::HaveReasons).await.expect("the store answers");
            assert_right(&wrong, name, seed);
        }
    }
    ground.assert_eventful();
}
