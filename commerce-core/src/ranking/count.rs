use super::{RankingBoard, Sale, SaleState, horizon, rankings_over};
use crate::messaging::{Effect, EffectError, Envelope, Event, EventType, Group};
use crate::{BusinessCalendar, Clock};
use async_trait::async_trait;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Counts what was paid and refunded, on the day of the payment.
pub struct SaleCounter {
    /// Where it is counted.
    pub board: Arc<dyn RankingBoard>,
    /// Which day an instant belongs to.
    pub calendar: BusinessCalendar,
    /// What day it is.
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl Effect for SaleCounter {
    fn group(&self) -> Group {
        Group::Ranking
    }

    fn handles(&self) -> &'static [EventType] {
        &[EventType::OrderPaid, EventType::OrderRefunded]
    }

    async fn apply(&self, events: &[Envelope]) -> Result<(), EffectError> {
        // A board that was lost, or that counted by another calendar, is begun anew by its keeper alone, and counted from the store. Were it begun
        // here, a keeper that was at work when the board was lost could call a day whole that is not.
        if self.board.calendar().await.map_err(EffectError::of)? != Some(self.calendar) {
            return Ok(());
        }
        let mut days = BTreeMap::<_, Vec<Sale>>::new();
        for sale in events.iter().filter_map(|envelope| sale(&envelope.event)) {
            days.entry(self.calendar.day_of(sale.paid_at)).or_default().push(sale);
        }
        let today = self.calendar.day_of(self.clock.now());
        days.retain(|day, _| *day >= horizon(today));
        for (day, sales) in &days {
            self.board.record(*day, sales).await.map_err(EffectError::of)?;
        }
        // Rankings that were made before are made again, whatever the clock says: the day may have turned while the sales were on their way. One of
        // which a day is just being counted anew is left to whoever does that.
        let rankings: BTreeSet<_> = days.into_keys().flat_map(rankings_over).collect();
        for ranking in rankings {
            if self.board.top(ranking, 1).await.map_err(EffectError::of)?.is_some() {
                let _made = self.board.aggregate(ranking).await.map_err(EffectError::of)?;
            }
        }
        Ok(())
    }
}

fn sale(event: &Event) -> Option<Sale> {
    match event {
        Event::OrderPaid(paid) => {
            Some(Sale { order_id: paid.order_id, paid_at: paid.paid_at, units: paid.sold.clone(), state: SaleState::Paid })
        }
        Event::OrderRefunded(closed) => {
            let paid_at = closed.paid_at?;
            Some(Sale { order_id: closed.order_id, paid_at, units: closed.sold.clone(), state: SaleState::Refunded })
        }
        _ => None,
    }
}
