use super::samples::{BATCHES, NOW, attempt, id, ids, product, user, with_products, with_users, write};
use crate::product::{Category, OptionName, Product, ProductDescription, ProductName, UnitPrice};
use crate::stock::{Stock, StockQuantity};
use crate::store::{PageLimit, ProductFilter, Store, StoreError};
use crate::{OptionId, ProductId, UserId};

pub(super) async fn products_come_back_as_they_were_written_in_batches_of_any_size(store: &dyn Store) {
    with_products(store, 300).await;
    for size in BATCHES {
        let mut wanted: Vec<ProductId> = ids(size);
        wanted.reverse();
        wanted.push(id(1_000_000));
        let read = store.queries().products(&wanted).await.unwrap();
        assert_eq!(read, (1..=size).map(product).collect::<Vec<_>>(), "ascending, without unknown ids");
    }
}

pub(super) async fn option_details_come_back_in_batches_of_any_size(store: &dyn Store) {
    with_products(store, 300).await;
    for size in BATCHES {
        let mut wanted: Vec<OptionId> = ids(size);
        wanted.reverse();
        wanted.extend([id::<OptionId>(1), id(1_000_000)]);
        let details = write(store, async |uow| uow.products().option_details(&wanted).await).await;
        assert_eq!(details.len(), usize::try_from(size).unwrap());
        for (option, found) in (1..=size).zip(&details) {
            let product = product((option + 1) / 2);
            assert_eq!(found.option_id, id(option));
            assert_eq!((found.product_id, &found.product_name), (product.id, &product.name));
            let option = product.options.iter().find(|candidate| candidate.id == found.option_id).unwrap();
            assert_eq!((&found.option_name, found.unit_price), (&option.name, option.price));
        }
    }
}

pub(super) async fn what_was_rolled_back_is_not_known(store: &dyn Store) {
    with_users(store, 1).await;
    with_products(store, 1).await;
    for _ in 0..2 {
        let mut uow = store.begin().await.unwrap();
        uow.users().insert(&[user(2), user(3)]).await.unwrap();
        uow.products().insert(&[product(2)]).await.unwrap();
        assert_eq!(uow.users().existing(&[id(3), id(1), id(4), id(2), id(3)]).await.unwrap(), ids::<UserId>(3));
        let details = uow.products().option_details(&[id(4), id(1), id(5), id(3), id(2)]).await.unwrap();
        assert_eq!(details.iter().map(|details| details.option_id).collect::<Vec<_>>(), ids(4));
        drop(uow);
        // What is known from before, and what is not, come together as if all were read.
        let existing = write(store, async |uow| uow.users().existing(&[id(3), id(1), id(2)]).await).await;
        assert_eq!(existing, ids::<UserId>(1));
        let details = write(store, async |uow| uow.products().option_details(&[id(3), id(2), id(4), id(1)]).await).await;
        assert_eq!(details.iter().map(|details| details.option_id).collect::<Vec<_>>(), ids(2));
    }
}

pub(super) async fn an_id_that_exists_is_refused(store: &dyn Store) {
    with_products(store, 1).await;
    let same_product = Product { options: product(2).options, ..product(1) };
    let same_option = Product { options: product(1).options, ..product(2) };
    for twin in [same_product, same_option] {
        let refused = attempt(store, async |uow| uow.products().insert(&[twin]).await).await;
        assert!(matches!(refused, Err(StoreError::Duplicate { .. })), "{refused:?}");
    }
}

pub(super) async fn a_product_shows_the_stock_there_is_now(store: &dyn Store) {
    with_products(store, 1).await;
    let mut stock = write(store, async |uow| uow.stock().lock(&[id(2)]).await).await;
    let entry = stock[0].adjust(-1_000, "stolen", NOW).unwrap();
    write(store, async |uow| uow.stock().save(&stock, &[entry]).await).await;
    let shown = store.queries().products(&[id(1)]).await.unwrap().remove(0);
    assert_eq!(shown.options.iter().map(|option| option.stock.units()).collect::<Vec<_>>(), [1_000, 0]);
    assert!(shown.options[1].sold_out());
    let alone = store.queries().stock_of_products(&[id(1)]).await.unwrap();
    assert_eq!(alone.iter().map(|option| option.stock.units()).collect::<Vec<_>>(), [1_000, 0]);
}

pub(super) async fn the_stock_of_products_is_read_alone_in_batches_of_any_size(store: &dyn Store) {
    with_products(store, 300).await;
    // An option whose stock was not opened shows none.
    write(store, async |uow| uow.products().insert(&[product(301)]).await).await;
    for size in [1, 2, 37, 301] {
        let mut wanted: Vec<ProductId> = ids(size);
        wanted.reverse();
        wanted.push(id(1_000_000));
        let read = store.queries().stock_of_products(&wanted).await.unwrap();
        let whole = store.queries().products(&wanted).await.unwrap();
        let of = |product: Product| product.options.into_iter().map(move |option| (product.id, option.id, option.stock));
        let read: Vec<_> = read.into_iter().map(|option| (option.product_id, option.option_id, option.stock)).collect();
        assert_eq!(read, whole.into_iter().flat_map(of).collect::<Vec<_>>());
    }
    assert_eq!(store.queries().stock_of_products(&[id(1_000_000)]).await.unwrap(), []);
}

pub(super) async fn products_are_paged_ascending_by_id(store: &dyn Store) {
    with_products(store, 45).await;
    let (mut read, mut after) = (Vec::new(), None);
    loop {
        let page = store.queries().find_products(&ProductFilter::default(), after, PageLimit::new(15).unwrap()).await.unwrap();
        assert_eq!(page.items.len(), 15);
        read.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(read, (1..=45).map(product).collect::<Vec<_>>());
}

async fn with_text(store: &dyn Store, number: i64, name: &str, description: &str) {
    let name = ProductName::parse(name).unwrap();
    let description = ProductDescription::parse(description).unwrap();
    let product = Product { name, description, ..product(number) };
    write(store, async |uow| uow.products().insert(&[product]).await).await;
}

async fn found(store: &dyn Store, text: &str) -> Vec<i64> {
    let filter = ProductFilter { category: None, text: Some(text.to_owned()) };
    let page = store.queries().find_products(&filter, None, PageLimit::default()).await.unwrap();
    page.items.into_iter().map(|product| product.id.get()).collect()
}

pub(super) async fn a_search_takes_wildcards_literally(store: &dyn Store) {
    with_text(store, 1, "100% wool", "warm and it lasts").await;
    with_text(store, 2, "snake_case", "warm and it lasts").await;
    with_text(store, 3, r"back\slash", "warm and it lasts").await;
    with_text(store, 4, "100 wool", "snakeXcase, backslash").await;
    with_text(store, 5, "it's [a-z]*", r#"quotes ' and " here"#).await;
    assert_eq!(found(store, "%").await, [1]);
    assert_eq!(found(store, "0% w").await, [1]);
    assert_eq!(found(store, "_").await, [2]);
    assert_eq!(found(store, "e_c").await, [2]);
    assert_eq!(found(store, r"\").await, [3]);
    assert_eq!(found(store, r"k\s").await, [3]);
    assert_eq!(found(store, r"\%").await, [0; 0]);
    assert_eq!(found(store, "it's").await, [5]);
    assert_eq!(found(store, "[a-z]*").await, [5]);
    assert_eq!(found(store, "' and \"").await, [5]);
}

pub(super) async fn a_search_looks_at_name_and_description_ignoring_the_case_of_ascii_letters(store: &dyn Store) {
    with_text(store, 1, "Blue Shirt", "a shirt made of cotton").await;
    with_text(store, 2, "Trousers", "go well with a BLUE shirt").await;
    with_text(store, 3, "겨울 코트", "아주 따뜻한 코트입니다 😀").await;
    assert_eq!(found(store, "bLuE").await, [1, 2]);
    assert_eq!(found(store, "SHIRT").await, [1, 2]);
    assert_eq!(found(store, "코트").await, [3]);
    assert_eq!(found(store, "😀").await, [3]);
    assert_eq!(found(store, "green").await, [0; 0]);
}

pub(super) async fn a_filter_by_category_and_text_asks_for_both(store: &dyn Store) {
    with_products(store, 12).await;
    let all = |category| ProductFilter { category: Some(category), text: None };
    let shoes = store.queries().find_products(&all(Category::Shoes), None, PageLimit::default()).await.unwrap().items;
    assert_eq!(shoes.iter().map(|product| product.id.get()).collect::<Vec<_>>(), [1, 6, 11]);
    let both = ProductFilter { text: Some("product 1".to_owned()), ..all(Category::Shoes) };
    let page = store.queries().find_products(&both, Some(id(1)), PageLimit::default()).await.unwrap();
    assert_eq!(page.items.iter().map(|product| product.id.get()).collect::<Vec<_>>(), [11]);
    assert_eq!(page.next, None);
}

pub(super) async fn the_longest_texts_and_most_options_come_back_as_they_were(store: &dyn Store) {
    let mut extreme = product(1);
    extreme.name = ProductName::parse(&"😀".repeat(30)).unwrap();
    extreme.description = ProductDescription::parse(&"한".repeat(200)).unwrap();
    let option = |number: i64| crate::product::ProductOption {
        id: id(number),
        name: OptionName::parse(&"🎽".repeat(30)).unwrap(),
        price: UnitPrice::new(1_000_000_000).unwrap(),
        stock: StockQuantity::new(1_000_000_000).unwrap(),
    };
    extreme.options = (1..=100).map(option).collect();
    let opened = extreme.options.iter().map(|option| Stock::open(option.id, option.stock, NOW));
    let (stock, entries): (Vec<_>, Vec<_>) = opened.unzip();
    write(store, async |uow| {
        uow.products().insert(std::slice::from_ref(&extreme)).await?;
        uow.stock().open(&stock, &entries).await
    })
    .await;
    assert_eq!(store.queries().products(&[id(1)]).await.unwrap(), [extreme]);
}
