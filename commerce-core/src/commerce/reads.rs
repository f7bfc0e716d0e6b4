use super::Commerce;
use crate::product::Product;
use crate::ranking::{RankedProduct, RankingError, RankingKeeper};
use crate::store::{OrderView, PageLimit, Queries, StoreError};
use crate::user::Actor;
use crate::{OrderId, ProductId};
use std::sync::Arc;

impl Commerce {
    /// Reads that change nothing.
    pub fn queries(&self) -> &dyn Queries {
        self.0.parts.store.queries()
    }

    /// An order; `None` if it does not exist or is not the actor's to see.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn order(&self, id: OrderId, actor: Actor) -> Result<Option<OrderView>, Arc<StoreError>> {
        Ok(self.0.orders.get(id).await?.filter(|view| actor.may_act_for(view.order.user_id)))
    }

    /// A product.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn product(&self, id: ProductId) -> Result<Option<Arc<Product>>, Arc<StoreError>> {
        self.0.products.get(id).await
    }

    /// What sold best over the last three full business days, best sellers first, ties broken by the smaller id.
    ///
    /// # Errors
    /// [`RankingError`] if there is no ranking and none can be made.
    pub async fn best_sellers(&self, limit: PageLimit) -> Result<Vec<RankedProduct>, RankingError> {
        self.0.ranking.top(limit, self.0.parts.clock.now()).await
    }

    /// Who keeps the boards of this shop.
    pub fn ranking_keeper(&self) -> &RankingKeeper {
        self.0.ranking.keeper()
    }
}
