use super::statements::{insert, select_in};
use super::{Backend, Fields, Link, SqlUnitOfWork};
use crate::sql::fields::corrupt;
use async_trait::async_trait;
use commerce_core::product::{
    Category, OptionDetails, OptionName, OptionStock, Product, ProductDescription, ProductName, ProductOption, ProductRepository, UnitPrice,
};
use commerce_core::stock::StockQuantity;
use commerce_core::store::StoreError;
use commerce_core::{OptionId, ProductId};

pub(super) const COLUMNS: &str = "id, name, category, description, created_at";

/// Reads [`COLUMNS`] as a product without options.
pub(super) fn read<DB: Backend>(row: &mut Fields<'_, DB>) -> Result<Product, StoreError> {
    Ok(Product {
        id: row.whole()?,
        name: row.parsed(ProductName::parse)?,
        category: row.word(Category::parse)?,
        description: row.parsed(ProductDescription::parse)?,
        options: Vec::new(),
        created_at: row.at()?,
    })
}

fn read_option<DB: Backend>(row: &mut Fields<'_, DB>) -> Result<(ProductId, ProductOption), StoreError> {
    let product_id = row.whole()?;
    let id = row.whole()?;
    let name = row.parsed(OptionName::parse)?;
    let price = UnitPrice::new(row.int()?).map_err(corrupt)?;
    let stock = StockQuantity::new(row.int()?).map_err(corrupt)?;
    Ok((product_id, ProductOption { id, name, price, stock }))
}

/// Gives products their options; `products` ascend by id. An option whose stock was not opened shows none.
pub(super) async fn add_options<DB: Backend>(link: &mut dyn Link<DB>, products: &mut [Product]) -> Result<(), StoreError> {
    let head = "SELECT o.product_id, o.id, o.name, o.price, COALESCE(s.quantity, 0) FROM product_options o \
                LEFT JOIN stocks s ON s.option_id = o.id WHERE o.product_id IN";
    let ids: Vec<i64> = products.iter().map(|product| product.id.get()).collect();
    for (product_id, option) in select_in(link, head, ids, " ORDER BY o.product_id, o.id", read_option).await? {
        if let Ok(at) = products.binary_search_by_key(&product_id, |product| product.id) {
            products[at].options.push(option);
        }
    }
    Ok(())
}

fn read_stock<DB: Backend>(row: &mut Fields<'_, DB>) -> Result<OptionStock, StoreError> {
    Ok(OptionStock { product_id: row.whole()?, option_id: row.whole()?, stock: StockQuantity::new(row.int()?).map_err(corrupt)? })
}

/// The stock of all options of these products, and nothing else of them.
pub(super) async fn stock_of<DB: Backend>(link: &mut dyn Link<DB>, products: &[ProductId]) -> Result<Vec<OptionStock>, StoreError> {
    let head = "SELECT o.product_id, o.id, COALESCE(s.quantity, 0) FROM product_options o \
                LEFT JOIN stocks s ON s.option_id = o.id WHERE o.product_id IN";
    select_in(link, head, products.iter().map(|id| id.get()), " ORDER BY o.product_id, o.id", read_stock).await
}

fn read_details<DB: Backend>(row: &mut Fields<'_, DB>) -> Result<OptionDetails, StoreError> {
    Ok(OptionDetails {
        option_id: row.whole()?,
        product_id: row.whole()?,
        product_name: row.parsed(ProductName::parse)?,
        option_name: row.parsed(OptionName::parse)?,
        unit_price: UnitPrice::new(row.int()?).map_err(corrupt)?,
    })
}

#[async_trait]
impl<DB: Backend> ProductRepository for SqlUnitOfWork<DB> {
    async fn insert(&mut self, products: &[Product]) -> Result<(), StoreError> {
        let added = insert(self.link(), "products", COLUMNS, products, |mut row, product| {
            row.push_bind(product.id.get());
            row.push_bind(product.name.as_str().to_owned());
            row.push_bind(product.category.as_str());
            row.push_bind(product.description.as_str().to_owned());
            row.push_bind(product.created_at.millis());
        });
        added.await?;
        let options: Vec<_> = products.iter().flat_map(|product| product.options.iter().map(|option| (product.id, option))).collect();
        let columns = "id, product_id, name, price";
        let added = insert(self.link(), "product_options", columns, &options, |mut row, (product_id, option)| {
            row.push_bind(option.id.get());
            row.push_bind(product_id.get());
            row.push_bind(option.name.as_str().to_owned());
            row.push_bind(option.price.amount().krw());
        });
        added.await.map(drop)
    }

    async fn option_details(&mut self, ids: &[OptionId]) -> Result<Vec<OptionDetails>, StoreError> {
        let head = "SELECT o.id, o.product_id, p.name, o.name, o.price FROM product_options o JOIN products p ON p.id = o.product_id \
                    WHERE o.id IN";
        let (mut details, unknown) = self.lasting.options.look_up(ids).await;
        let found = select_in(self.link(), head, unknown.iter().map(|id| id.get()), " ORDER BY o.id", read_details).await?;
        self.learned.options.extend(found.iter().map(|details| (details.option_id, details.clone())));
        details.extend(found);
        details.sort_unstable_by_key(|details| details.option_id);
        Ok(details)
    }
}
