use super::State;
use super::state::insert_new;
use crate::OptionId;
use crate::product::{OptionDetails, Product, ProductRepository};
use crate::stock::StockQuantity;
use crate::store::StoreError;
use async_trait::async_trait;
use std::collections::BTreeSet;

#[async_trait]
impl ProductRepository for State {
    async fn insert(&mut self, products: &[Product]) -> Result<(), StoreError> {
        self.begin_to_write().await?;
        for product in products {
            insert_new(&mut self.products, product.id, product.clone(), "product")?;
            for option in &product.options {
                insert_new(&mut self.product_of_option, option.id, product.id, "option")?;
            }
        }
        Ok(())
    }

    async fn option_details(&mut self, ids: &[OptionId]) -> Result<Vec<OptionDetails>, StoreError> {
        let ids: BTreeSet<OptionId> = ids.iter().copied().collect();
        Ok(ids.into_iter().filter_map(|id| self.details(id)).collect())
    }
}

impl State {
    fn details(&self, id: OptionId) -> Option<OptionDetails> {
        let product = self.products.get(self.product_of_option.get(&id)?)?;
        let option = product.options.iter().find(|option| option.id == id)?;
        Some(OptionDetails {
            option_id: id,
            product_id: product.id,
            product_name: product.name.clone(),
            option_name: option.name.clone(),
            unit_price: option.price,
        })
    }

    /// The product with its options in ascending order and what is left of them now.
    pub(super) fn with_stock(&self, product: &Product) -> Product {
        let mut product = product.clone();
        product.options.sort_by_key(|option| option.id);
        for option in &mut product.options {
            option.stock = self.stock.get(&option.id).map_or(StockQuantity::ZERO, |stock| stock.quantity);
        }
        product
    }
}
