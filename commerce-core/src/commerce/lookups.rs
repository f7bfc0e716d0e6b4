use crate::cache::{Kind, ReadThrough};
use crate::coupon::{Coupon, CouponRequest, RequestOutcome, UserCoupon};
use crate::product::{CatalogEntry, OptionStock, Product};
use crate::store::{Lookup, OrderView, Store, StoreError};
use crate::{CouponId, OrderId, ProductId, TaskId};
use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

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

/// What the cache keeps of products. It changes for nobody but who changes it behind the shop's back.
const CATALOG: Kind = Kind { name: "product-1", keep: Duration::from_mins(1) };

/// Finds products for everyone who asks at the same time: their stock in the store, and the rest through the cache.
pub(super) struct ProductLookup {
    pub(super) store: Arc<dyn Store>,
    pub(super) cached: Arc<ReadThrough>,
}

impl ProductLookup {
    async fn in_store(&self, ids: &[ProductId]) -> Result<impl Iterator<Item = (ProductId, Product)> + use<>, StoreError> {
        Ok(self.store.queries().products(ids).await?.into_iter().map(|product| (product.id, product)))
    }
}

#[async_trait]
impl Lookup for ProductLookup {
    type Key = ProductId;
    type Value = Arc<Product>;

    async fn look_up(&self, keys: &[ProductId]) -> Result<HashMap<ProductId, Arc<Product>>, StoreError> {
        let stock = self.store.queries().stock_of_products(keys).await?;
        let stock: HashMap<ProductId, &[OptionStock]> =
            stock.chunk_by(|one, next| one.product_id == next.product_id).map(|options| (options[0].product_id, options)).collect();
        // What does not exist has no stock, and is not looked for in the cache.
        let ids: Vec<ProductId> = keys.iter().copied().filter(|id| stock.contains_key(id)).collect();
        let read = |ids: Vec<ProductId>| async move {
            Ok::<_, StoreError>(self.in_store(&ids).await?.map(|(id, product)| (id, CatalogEntry::from(product))).collect())
        };
        let entries = self.cached.read(CATALOG, &ids, read).await?;
        let (mut found, mut outdated) = (HashMap::with_capacity(ids.len()), Vec::new());
        for id in ids {
            match entries.get(&id).and_then(|entry| entry.in_stock(stock[&id])) {
                Some(product) => drop(found.insert(id, Arc::new(product))),
                None => outdated.push(id),
            }
        }
        if !outdated.is_empty() {
            // Somebody has changed the options behind the shop's back.
            self.cached.forget(CATALOG, &outdated).await;
            found.extend(self.in_store(&outdated).await?.map(|(id, product)| (id, Arc::new(product))));
        }
        Ok(found)
    }
}

/// Finds coupons for everyone who asks at the same time.
pub(super) struct CouponLookup(pub(super) Arc<dyn Store>);

#[async_trait]
impl Lookup for CouponLookup {
    type Key = CouponId;
    type Value = Arc<Coupon>;

    async fn look_up(&self, keys: &[CouponId]) -> Result<HashMap<CouponId, Arc<Coupon>>, StoreError> {
        Ok(self.0.queries().coupons_by_id(keys).await?.into_iter().map(|coupon| (coupon.id, Arc::new(coupon))).collect())
    }
}

/// Finds requests for coupons for everyone who asks at the same time.
pub(super) struct RequestLookup(pub(super) Arc<dyn Store>);

#[async_trait]
impl Lookup for RequestLookup {
    type Key = TaskId;
    type Value = CouponRequest;

    async fn look_up(&self, keys: &[TaskId]) -> Result<HashMap<TaskId, CouponRequest>, StoreError> {
        let found = self.0.queries().coupon_requests(keys).await?;
        let mut found: HashMap<_, _> = found.into_iter().map(|request| (request.task_id, request)).collect();
        // A decided request is not kept for ever, but what was issued for it is.
        for task in keys {
            if !found.contains_key(task)
                && let Some(held) = self.0.queries().user_coupon_of_task(*task).await?
            {
                found.insert(*task, request_of(&held));
            }
        }
        Ok(found)
    }
}

fn request_of(held: &UserCoupon) -> CouponRequest {
    let UserCoupon { id: user_coupon_id, user_id, coupon_id, position, task_id, issued_at, .. } = *held;
    let outcome = RequestOutcome::Issued { at: issued_at };
    CouponRequest { task_id, coupon_id, user_id, user_coupon_id, position, admitted_at: issued_at, outcome }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OptionId;
    use crate::product::{Category, NewOption, NewProduct, OptionName, ProductDescription, ProductName, UnitPrice};
    use crate::stock::{Stock, StockQuantity};
    use crate::testing::{MemoryCache, MemoryStore};
    use crate::{Money, Timestamp};

    fn shoes() -> ProductId {
        ProductId::new(1).unwrap()
    }

    fn option(number: i64) -> OptionId {
        OptionId::new(number).unwrap()
    }

    /// A product that is put on sale with one option, of which there are ten.
    fn put_on_sale(store: &MemoryStore) {
        let new = NewOption { name: OptionName::parse("42").unwrap(), price: UnitPrice::new(1_000).unwrap(), stock: ten() };
        let new = NewProduct {
            name: ProductName::parse("Shoes").unwrap(),
            category: Category::Shoes,
            description: ProductDescription::parse("Two of them, for feet.").unwrap(),
            options: vec![new],
        };
        let product = Product::create(shoes(), &[option(1)], new, Timestamp::from_millis(0)).unwrap();
        store.tamper(|state| {
            state.products.insert(shoes(), product);
            state.stock.insert(option(1), Stock::open(option(1), ten(), Timestamp::from_millis(0)).0);
        });
    }

    fn ten() -> StockQuantity {
        StockQuantity::new(10).unwrap()
    }

    fn sell_out(store: &MemoryStore) {
        store.tamper(|state| state.stock.get_mut(&option(1)).unwrap().quantity = StockQuantity::ZERO);
    }

    fn rename(store: &MemoryStore) {
        store.tamper(|state| state.products.get_mut(&shoes()).unwrap().name = ProductName::parse("Boots").unwrap());
    }

    fn lookup(store: &MemoryStore, cache: &MemoryCache) -> ProductLookup {
        ProductLookup { store: Arc::new(store.clone()), cached: Arc::new(ReadThrough::new(Arc::new(cache.clone()))) }
    }

    async fn shown(lookup: &ProductLookup) -> (String, Vec<u32>) {
        let found = lookup.look_up(&[shoes(), ProductId::new(2).unwrap()]).await.unwrap();
        assert_eq!(found.len(), 1, "what does not exist is not found");
        let product = &found[&shoes()];
        (product.name.as_str().to_owned(), product.options.iter().map(|option| option.stock.units()).collect())
    }

    #[tokio::test(start_paused = true)]
    async fn a_product_is_read_once_by_all_processes_and_its_stock_by_each_reader() {
        let (store, cache) = (MemoryStore::new(), MemoryCache::new());
        let (one, other) = (lookup(&store, &cache), lookup(&store, &cache));
        put_on_sale(&store);
        assert_eq!(shown(&one).await, ("Shoes".to_owned(), vec![10]));
        // Nothing but the stock is looked for in the store any more: not even a name that somebody changes there is seen.
        rename(&store);
        sell_out(&store);
        assert_eq!(shown(&other).await, ("Shoes".to_owned(), vec![0]));
        assert_eq!(shown(&one).await, ("Shoes".to_owned(), vec![0]));
        tokio::time::advance(CATALOG.keep).await;
        assert_eq!(shown(&other).await, ("Boots".to_owned(), vec![0]));
    }

    #[tokio::test(start_paused = true)]
    async fn options_that_somebody_adds_to_the_store_are_shown_with_all_that_is_new() {
        let (store, cache) = (MemoryStore::new(), MemoryCache::new());
        put_on_sale(&store);
        let lookup = lookup(&store, &cache);
        shown(&lookup).await;
        rename(&store);
        store.tamper(|state| {
            let options = &mut state.products.get_mut(&shoes()).unwrap().options;
            let another = crate::product::ProductOption { id: option(2), ..options[0].clone() };
            options.push(another);
        });
        for _ in 0..2 {
            assert_eq!(shown(&lookup).await, ("Boots".to_owned(), vec![10, 0]));
        }
    }

    #[test]
    fn an_entry_says_all_of_a_product_but_its_stock() {
        let store = MemoryStore::new();
        put_on_sale(&store);
        let mut product = None;
        store.tamper(|state| product = state.products.get(&shoes()).cloned());
        let product = product.unwrap();
        let entry = CatalogEntry::from(product.clone());
        let written = serde_json::to_string(&entry).unwrap();
        assert_eq!(serde_json::from_str::<CatalogEntry>(&written).unwrap(), entry);
        assert_eq!(entry.options[0].price.amount(), Money::new(1_000).unwrap());
        let stock = OptionStock { product_id: shoes(), option_id: option(1), stock: ten() };
        assert_eq!(entry.in_stock(&[stock]), Some(product));
        assert_eq!(entry.in_stock(&[]), None);
        assert_eq!(entry.in_stock(&[OptionStock { option_id: option(2), ..stock }]), None);
    }
}
