use super::{NewProduct, Product, ProductError};
use crate::stock::Stock;
use crate::store::{Handler, StoreError, UnitOfWork};
use crate::{Clock, OptionId, ProductId};
use async_trait::async_trait;
use std::sync::Arc;

/// Puts a product on sale.
#[derive(Debug, Clone)]
pub struct CreateProduct {
    /// The id it is to have.
    pub id: ProductId,
    /// The ids its options are to have.
    pub option_ids: Vec<OptionId>,
    /// What it is.
    pub product: NewProduct,
}

/// The use case "create product": the product, its options and their stock.
pub struct CreateProducts {
    /// When it is done.
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl Handler for CreateProducts {
    type Command = CreateProduct;
    type Verdict = Result<Product, ProductError>;

    async fn handle(&self, uow: &mut dyn UnitOfWork, batch: &[CreateProduct]) -> Result<Vec<Self::Verdict>, StoreError> {
        let now = self.clock.now();
        let create = |command: &CreateProduct| Product::create(command.id, &command.option_ids, command.product.clone(), now);
        let verdicts: Vec<_> = batch.iter().map(create).collect();
        let products: Vec<_> = verdicts.iter().flatten().cloned().collect();
        if !products.is_empty() {
            let options = products.iter().flat_map(|product| &product.options);
            let (stock, entries): (Vec<_>, Vec<_>) = options.map(|option| Stock::open(option.id, option.stock, now)).unzip();
            uow.products().insert(&products).await?;
            uow.stock().open(&stock, &entries).await?;
        }
        Ok(verdicts)
    }
}
