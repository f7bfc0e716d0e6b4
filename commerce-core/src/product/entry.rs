use super::{Category, OptionName, Product, ProductDescription, ProductName, ProductOption, UnitPrice};
use crate::stock::StockQuantity;
use crate::{OptionId, ProductId, Timestamp};
use serde::{Deserialize, Serialize};

/// What does not change of a product: all but its stock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogEntry {
    /// The product's id.
    pub id: ProductId,
    /// The name.
    pub name: ProductName,
    /// The shelf.
    pub category: Category,
    /// What it is.
    pub description: ProductDescription,
    /// The options in ascending id order.
    pub options: Vec<CatalogOption>,
    /// When it was put on sale.
    pub created_at: Timestamp,
}

/// What does not change of an option: all but its stock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogOption {
    /// The option's id.
    pub id: OptionId,
    /// The name.
    pub name: OptionName,
    /// The price of one unit.
    pub price: UnitPrice,
}

/// What changes of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionStock {
    /// The product it belongs to.
    pub product_id: ProductId,
    /// The option.
    pub option_id: OptionId,
    /// The units left when it was read.
    pub stock: StockQuantity,
}

impl CatalogEntry {
    /// The product with the stock of its options, ascending; `None` unless they are the options that this knows of.
    pub fn in_stock(&self, stock: &[OptionStock]) -> Option<Product> {
        let ours = stock.iter().map(|option| (option.product_id, option.option_id));
        if !ours.eq(self.options.iter().map(|option| (self.id, option.id))) {
            return None;
        }
        let options = self.options.iter().zip(stock).map(|(option, OptionStock { stock, .. })| {
            let CatalogOption { id, ref name, price } = *option;
            ProductOption { id, name: name.clone(), price, stock: *stock }
        });
        let Self { id, ref name, category, ref description, created_at, .. } = *self;
        Some(Product { id, name: name.clone(), category, description: description.clone(), options: options.collect(), created_at })
    }
}

impl From<Product> for CatalogEntry {
    fn from(product: Product) -> Self {
        let Product { id, name, category, description, options, created_at } = product;
        let option = |ProductOption { id, name, price, stock: _ }| CatalogOption { id, name, price };
        Self { id, name, category, description, options: options.into_iter().map(option).collect(), created_at }
    }
}
