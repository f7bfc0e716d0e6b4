use super::State;
use super::state::{insert_new, pick};
use crate::OrderId;
use crate::order::{Order, OrderRepository, OrderStatus};
use crate::store::StoreError;
use async_trait::async_trait;
use std::sync::Arc;

#[async_trait]
impl OrderRepository for State {
    async fn insert(&mut self, orders: &[Order]) -> Result<(), StoreError> {
        self.begin_to_write().await?;
        for order in orders {
            insert_new(&mut self.orders, order.id, Arc::new(order.clone()), "order")?;
            self.orders_by_user.insert((order.user_id, order.ordered_at, order.id));
        }
        Ok(())
    }

    async fn lock(&mut self, ids: &[OrderId]) -> Result<Vec<Order>, StoreError> {
        Ok(pick(&self.orders, ids).into_iter().map(Arc::unwrap_or_clone).collect())
    }

    async fn save(&mut self, orders: &[Order]) -> Result<(), StoreError> {
        self.begin_to_write().await?;
        for order in orders {
            let stored = self.orders.get_mut(&order.id).filter(|stored| stored.version == order.version).ok_or(StoreError::Conflict)?;
            let items = if stored.status == OrderStatus::Pending { order.items.clone() } else { stored.items.clone() };
            *stored = Arc::new(Order { items, version: order.version + 1, ..order.clone() });
        }
        Ok(())
    }
}
