use super::super::app::Shop;
use super::super::auth::Caller;
use super::super::body::Object;
use super::super::cursor::Cursor;
use super::super::envelope::{ok, success};
use super::super::failure::{Failure, Outcome};
use super::super::idempotency::{Carried, Change, carry_out};
use super::super::openapi::{Document, Operation};
use super::super::path::{PathId, PathNumber};
use super::super::query::RawQuery;
use super::PageData;
use axum::extract::State;
use axum::http::StatusCode;
use commerce_core::product::{
    Category, NewOption, NewProduct, OptionName, Product, ProductDescription, ProductError, ProductName, ProductOption, UnitPrice,
};
use commerce_core::ranking::RankedProduct;
use commerce_core::stock::{AdjustStock, StockError, StockQuantity};
use commerce_core::store::{PageLimit, ProductFilter};
use commerce_core::{ErrorCode, OptionId, ProductId};
use serde::{Deserialize, Serialize};
use std::fmt::Display;
use utoipa::ToSchema;

const OPTIONS_MAX: usize = 100;
const REASON_CHARS_MAX: usize = 200;
const SEARCH_CHARS_MAX: usize = 100;

/// A product to put on sale.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct CreateProductRequest {
    /// The name, 1–30 characters.
    #[schema(min_length = 1, max_length = 30)]
    name: String,
    /// `CLOTHING`, `SHOES`, `FOOD`, `DIGITAL` or `BEAUTY`.
    #[schema(example = "SHOES", pattern = "^(CLOTHING|SHOES|FOOD|DIGITAL|BEAUTY)$")]
    category: String,
    /// What it is, 10–200 characters.
    #[schema(min_length = 10, max_length = 200)]
    description: String,
    /// 1–100 options.
    #[schema(value_type = Vec<CreateOptionRequest>, min_items = 1, max_items = 100)]
    options: Vec<Object<CreateOptionRequest>>,
}

/// An option of a product to put on sale.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct CreateOptionRequest {
    /// The name, 1–30 characters.
    #[schema(min_length = 1, max_length = 30)]
    name: String,
    /// The price of one unit in KRW.
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    price: i64,
    /// The units there are at first.
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    stock: i64,
}

/// A count, a delivery or a loss.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct AdjustStockRequest {
    /// The units to add, or to take away if it is negative.
    delta: i64,
    /// Why, in 1–200 characters.
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
}

/// A product and its options.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the contract repeats the word in every name")]
pub(in super::super) struct ProductData {
    /// The product's id.
    product_id: i64,
    /// The name.
    product_name: String,
    /// What it is.
    product_description: String,
    /// `CLOTHING`, `SHOES`, `FOOD`, `DIGITAL` or `BEAUTY`.
    #[schema(example = "SHOES")]
    product_category: &'static str,
    /// The options, ascending by id.
    product_options: Vec<OptionData>,
}

/// An option of a product.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct OptionData {
    /// The option's id.
    product_option_id: i64,
    /// The name.
    option_name: String,
    /// The price of one unit in KRW.
    price: i64,
    /// The units left at the time of the read.
    stock: u32,
    /// Whether none is left.
    sold_out: bool,
}

/// A product in the ranking.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct RankedProductData {
    /// The product's id.
    product_id: i64,
    /// The name.
    product_name: String,
    /// What it is.
    product_description: String,
    /// `CLOTHING`, `SHOES`, `FOOD`, `DIGITAL` or `BEAUTY`.
    #[schema(example = "SHOES")]
    product_category: &'static str,
    /// The units sold over the last three full days.
    total_sold: u64,
    /// The place, from 1.
    rank: usize,
}

/// The stock of an option.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct StockData {
    /// The option.
    product_option_id: i64,
    /// The units left.
    stock: u32,
}

impl ProductData {
    fn of(product: &Product) -> Self {
        Self {
            product_id: product.id.get(),
            product_name: product.name.as_str().to_owned(),
            product_description: product.description.as_str().to_owned(),
            product_category: product.category.as_str(),
            product_options: product.options.iter().map(OptionData::of).collect(),
        }
    }
}

impl OptionData {
    fn of(option: &ProductOption) -> Self {
        Self {
            product_option_id: option.id.get(),
            option_name: option.name.as_str().to_owned(),
            price: option.price.amount().krw(),
            stock: option.stock.units(),
            sold_out: option.sold_out(),
        }
    }
}

impl RankedProductData {
    fn of(RankedProduct { rank, sold, product }: &RankedProduct) -> Self {
        Self {
            product_id: product.id.get(),
            product_name: product.name.as_str().to_owned(),
            product_description: product.description.as_str().to_owned(),
            product_category: product.category.as_str(),
            total_sold: *sold,
            rank: *rank,
        }
    }
}

impl CreateProductRequest {
    fn read(&self) -> Outcome<NewProduct> {
        let name = ProductName::parse(&self.name).map_err(|refusal| invalid("name", refusal))?;
        let category = category_of("category", &self.category)?;
        let description = ProductDescription::parse(&self.description).map_err(|refusal| invalid("description", refusal))?;
        if !(1..=OPTIONS_MAX).contains(&self.options.len()) {
            return Err(invalid("options", ProductError::InvalidOptionCount));
        }
        let options = self.options.iter().enumerate().map(|(index, Object(option))| option.read(index)).collect::<Outcome<_>>()?;
        Ok(NewProduct { name, category, description, options })
    }
}

impl CreateOptionRequest {
    fn read(&self, index: usize) -> Outcome<NewOption> {
        let at = |field: &str| format!("options[{index}].{field}");
        Ok(NewOption {
            name: OptionName::parse(&self.name).map_err(|refusal| invalid(&at("name"), refusal))?,
            price: UnitPrice::new(self.price).map_err(|refusal| invalid(&at("price"), refusal))?,
            stock: StockQuantity::new(self.stock).map_err(|refusal| invalid(&at("stock"), refusal))?,
        })
    }
}

fn invalid(field: &str, refusal: impl Display) -> Failure {
    Failure::invalid(field, refusal)
}

fn category_of(field: &str, text: &str) -> Outcome<Category> {
    let names = || Category::ALL.map(Category::as_str).join(", ");
    Category::parse(text).ok_or_else(|| invalid(field, format_args!("the category must be one of {}", names())))
}

pub(super) async fn show(State(shop): State<Shop>, PathId(id): PathId<ProductId>, query: RawQuery) -> Outcome {
    query.read(&[])?;
    match shop.commerce.product(id).await? {
        Some(product) => Ok(ok(&ProductData::of(&product))),
        None => Err(Failure::new(ErrorCode::InactiveProduct, format_args!("product {id} does not exist"))),
    }
}

pub(super) async fn list(State(shop): State<Shop>, query: RawQuery) -> Outcome {
    let query = query.read(&["category", "q", "cursor", "limit"])?;
    let category = query.get("category").map(|text| category_of("category", text)).transpose()?;
    let text = query.get("q").map(str::to_owned);
    if text.as_ref().is_some_and(|text| text.chars().count() > SEARCH_CHARS_MAX) {
        return Err(invalid("q", format_args!("q must have at most {SEARCH_CHARS_MAX} characters")));
    }
    if text.as_ref().is_some_and(|text| text.contains('\0')) {
        return Err(invalid("q", "q must not contain a zero character"));
    }
    let text = text.filter(|text| !text.is_empty());
    let (after, limit) = (query.cursor()?, query.limit()?);
    let page = shop.commerce.queries().find_products(&ProductFilter { category, text }, after, limit).await?;
    let items = page.items.iter().map(ProductData::of).collect();
    Ok(ok(&PageData { items, next_cursor: page.next.map(|next| next.encode()) }))
}

pub(super) async fn rank(State(shop): State<Shop>, PathNumber { name, value }: PathNumber, query: RawQuery) -> Outcome {
    query.read(&[])?;
    let limit = PageLimit::new(value);
    let limit = limit.ok_or_else(|| invalid(&name, format_args!("the ranking shows 1 to {} products", PageLimit::MAX)))?;
    let ranked = shop.commerce.best_sellers(limit).await?;
    Ok(ok(&ranked.iter().map(RankedProductData::of).collect::<Vec<_>>()))
}

pub(super) async fn create(
    State(shop): State<Shop>,
    caller: Caller,
    query: RawQuery,
    change: Change<CreateProductRequest>,
) -> Outcome<Carried<Result<Product, ProductError>>> {
    query.read(&[])?;
    let product = change.body.read()?;
    caller.must_be_admin()?;
    let key = change.claim(&shop, caller)?;
    let command = shop.commerce.product_to_create(product).await?;
    let answer = |product: &Product| {
        let mut answer = success(StatusCode::CREATED, &ProductData::of(product));
        answer.location = Some(format!("/api/products/{}", product.id));
        answer
    };
    carry_out(&shop.commerce.desks().create_product, command, key.as_ref(), answer).await
}

pub(super) async fn adjust_stock(
    State(shop): State<Shop>,
    caller: Caller,
    PathId(option_id): PathId<OptionId>,
    query: RawQuery,
    change: Change<AdjustStockRequest>,
) -> Outcome<Carried<Result<StockQuantity, StockError>>> {
    query.read(&[])?;
    let reason = change.body.reason.trim().to_owned();
    if !(1..=REASON_CHARS_MAX).contains(&reason.chars().count()) || reason.contains('\0') {
        return Err(invalid("reason", format_args!("the reason must have 1 to {REASON_CHARS_MAX} characters")));
    }
    caller.must_be_admin()?;
    let key = change.claim(&shop, caller)?;
    let command = AdjustStock { option_id, delta: change.body.delta, reason };
    let answer =
        move |stock: &StockQuantity| success(StatusCode::OK, &StockData { product_option_id: option_id.get(), stock: stock.units() });
    carry_out(&shop.commerce.desks().adjust_stock, command, key.as_ref(), answer).await
}

pub(in super::super) fn document(document: &mut Document) {
    Operation::get("/api/products", "products", "Lists products, ascending by id.")
        .query("category", "Only this shelf: CLOTHING, SHOES, FOOD, DIGITAL or BEAUTY.")
        .query("q", "Only products with this text in name or description, at most 100 characters.")
        .pages::<ProductData>(document)
        .add_to(document);
    Operation::get("/api/products/{productId}", "products", "Shows a product with its present stock.")
        .answers::<ProductData>(StatusCode::OK, document)
        .refuses(&[ErrorCode::InactiveProduct])
        .add_to(document);
    Operation::get("/api/products/rank/{n}", "products", "Lists the n best sellers of the last three full days, n from 1 to 100.")
        .answers_list::<RankedProductData>(document)
        .add_to(document);
    Operation::post("/api/products", "products", "Puts a product on sale.")
        .with_token()
        .takes::<CreateProductRequest>(document)
        .idempotent()
        .answers::<ProductData>(StatusCode::CREATED, document)
        .with("Location", "Where the product is.")
        .add_to(document);
    Operation::post("/api/products/options/{optionId}/stock", "products", "Adds to the stock of an option, or takes away.")
        .with_token()
        .takes::<AdjustStockRequest>(document)
        .idempotent()
        .answers::<StockData>(StatusCode::OK, document)
        .refuses(&[ErrorCode::InvalidStock, ErrorCode::OptionNotFound])
        .add_to(document);
}
