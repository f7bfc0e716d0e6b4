use crate::product::Product;
use crate::store::{Lookup, OrderView, Store, StoreError};
use crate::{OrderId, ProductId};
use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::Arc;

/// Finds orders for everyone who asks at the same time.
pub(super) struct OrderLookup(pub(super) Arc<dyn Store>);

#[async_trait]
impl Lookup for OrderLookup {
    type Key = OrderId;
    type Value = OrderView;

    async fn look_up(&self, keys: &[OrderId]) -> Result<HashMap<OrderId, OrderView>, StoreError> {
        Ok(self.0.queries().orders(keys).await?.into_iter().map(|view| (view.order.id, view)).collect())
    }
}

/// Finds products for everyone who asks at the same time.
pub(super) struct ProductLookup(pub(super) Arc<dyn Store>);

#[async_trait]
impl Lookup for ProductLookup {
    type Key = ProductId;
    type Value = Arc<Product>;

    async fn look_up(&self, keys: &[ProductId]) -> Result<HashMap<ProductId, Arc<Product>>, StoreError> {
        Ok(self.0.queries().products(keys).await?.into_iter().map(|product| (product.id, Arc::new(product))).collect())
    }
}
