use crate::stock::StockQuantity;
use crate::{ErrorCode, Money, OptionId, ProductId, Timestamp};
use serde::{Deserialize, Serialize};

const NAME_CHARS_MAX: usize = 30;
const DESCRIPTION_CHARS_MIN: usize = 10;
const DESCRIPTION_CHARS_MAX: usize = 200;
const PRICE_MAX: i64 = 1_000_000_000;
const OPTIONS_MAX: usize = 100;

/// Why a product cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProductError {
    /// The name of a product or option is not 1–30 characters once trimmed.
    #[error("a name must have 1 to {NAME_CHARS_MAX} characters")]
    InvalidName,
    /// The description is not 10–200 characters once trimmed.
    #[error("a description must have {DESCRIPTION_CHARS_MIN} to {DESCRIPTION_CHARS_MAX} characters")]
    InvalidDescription,
    /// The price is outside 0–1,000,000,000.
    #[error("a price must be from 0 to {PRICE_MAX}")]
    InvalidPrice,
    /// There is no option, or there are more than 100.
    #[error("a product must have 1 to {OPTIONS_MAX} options")]
    InvalidOptionCount,
}

impl ProductError {
    /// The stable code of the refusal.
    pub const fn code(&self) -> ErrorCode {
        ErrorCode::InvalidParameter
    }
}

fn trimmed(text: &str, chars: std::ops::RangeInclusive<usize>) -> Option<String> {
    let text = text.trim();
    (chars.contains(&text.chars().count()) && !text.contains('\0')).then(|| text.to_owned())
}

/// The name of a product: 1–30 characters after trimming.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProductName(String);

impl ProductName {
    /// Trims and checks a name.
    ///
    /// # Errors
    /// [`ProductError::InvalidName`] outside 1–30 characters.
    pub fn parse(text: &str) -> Result<Self, ProductError> {
        trimmed(text, 1..=NAME_CHARS_MAX).map(Self).ok_or(ProductError::InvalidName)
    }

    /// The trimmed name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of an option: 1–30 characters after trimming.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OptionName(String);

impl OptionName {
    /// Trims and checks a name.
    ///
    /// # Errors
    /// [`ProductError::InvalidName`] outside 1–30 characters.
    pub fn parse(text: &str) -> Result<Self, ProductError> {
        trimmed(text, 1..=NAME_CHARS_MAX).map(Self).ok_or(ProductError::InvalidName)
    }

    /// The trimmed name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a product is, in 10–200 characters after trimming.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProductDescription(String);

impl ProductDescription {
    /// Trims and checks a description.
    ///
    /// # Errors
    /// [`ProductError::InvalidDescription`] outside 10–200 characters.
    pub fn parse(text: &str) -> Result<Self, ProductError> {
        trimmed(text, DESCRIPTION_CHARS_MIN..=DESCRIPTION_CHARS_MAX).map(Self).ok_or(ProductError::InvalidDescription)
    }

    /// The trimmed description.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The price of one unit: 0–1,000,000,000 KRW.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnitPrice(Money);

impl UnitPrice {
    /// Checks a price.
    ///
    /// # Errors
    /// [`ProductError::InvalidPrice`] outside 0–1,000,000,000.
    pub fn new(krw: i64) -> Result<Self, ProductError> {
        match Money::new(krw) {
            Ok(price) if krw <= PRICE_MAX => Ok(Self(price)),
            _ => Err(ProductError::InvalidPrice),
        }
    }

    /// The price in KRW.
    pub const fn amount(self) -> Money {
        self.0
    }
}

/// The shelf a product stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Category {
    /// Clothing.
    Clothing,
    /// Shoes.
    Shoes,
    /// Food.
    Food,
    /// Digital goods.
    Digital,
    /// Beauty.
    Beauty,
}

impl Category {
    /// Every category.
    pub const ALL: [Self; 5] = [Self::Clothing, Self::Shoes, Self::Food, Self::Digital, Self::Beauty];

    /// The category as it is written: `CLOTHING`, `SHOES`, `FOOD`, `DIGITAL` or `BEAUTY`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clothing => "CLOTHING",
            Self::Shoes => "SHOES",
            Self::Food => "FOOD",
            Self::Digital => "DIGITAL",
            Self::Beauty => "BEAUTY",
        }
    }

    /// Reads what [`Category::as_str`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.as_str() == text)
    }
}

/// A product that is not stored yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProduct {
    /// The name.
    pub name: ProductName,
    /// The shelf.
    pub category: Category,
    /// What it is.
    pub description: ProductDescription,
    /// 1–100 options.
    pub options: Vec<NewOption>,
}

/// An option that is not stored yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOption {
    /// The name.
    pub name: OptionName,
    /// The price of one unit.
    pub price: UnitPrice,
    /// The units there are at first.
    pub stock: StockQuantity,
}

/// A product and its options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// The product's id.
    pub id: ProductId,
    /// The name.
    pub name: ProductName,
    /// The shelf.
    pub category: Category,
    /// What it is.
    pub description: ProductDescription,
    /// The options in ascending id order.
    pub options: Vec<ProductOption>,
    /// When it was put on sale.
    pub created_at: Timestamp,
}

/// An option of a product: the stock-keeping unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductOption {
    /// The option's id.
    pub id: OptionId,
    /// The name.
    pub name: OptionName,
    /// The price of one unit.
    pub price: UnitPrice,
    /// The units left when it was read.
    pub stock: StockQuantity,
}

impl ProductOption {
    /// Whether nothing is left.
    pub fn sold_out(&self) -> bool {
        self.stock == StockQuantity::ZERO
    }
}

impl Product {
    /// Makes a product from its description and the ids it was given, one for each option.
    ///
    /// # Errors
    /// [`ProductError::InvalidOptionCount`] unless there are 1–100 options, with an id each.
    pub fn create(id: ProductId, option_ids: &[OptionId], new: NewProduct, now: Timestamp) -> Result<Self, ProductError> {
        if !(1..=OPTIONS_MAX).contains(&new.options.len()) || option_ids.len() != new.options.len() {
            return Err(ProductError::InvalidOptionCount);
        }
        let options = option_ids.iter().zip(new.options);
        let options = options.map(|(&id, new)| ProductOption { id, name: new.name, price: new.price, stock: new.stock }).collect();
        Ok(Self { id, name: new.name, category: new.category, description: new.description, options, created_at: now })
    }
}

/// What an order remembers of an option at the moment its stock is reserved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionDetails {
    /// The option.
    pub option_id: OptionId,
    /// The product it belongs to.
    pub product_id: ProductId,
    /// The product's name.
    pub product_name: ProductName,
    /// The option's name.
    pub option_name: OptionName,
    /// The price of one unit.
    pub unit_price: UnitPrice,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_descriptions_are_counted_in_characters_once_trimmed() {
        assert!(ProductName::parse("  ").is_err());
        assert!(ProductName::parse(&"신".repeat(30)).is_ok());
        assert!(OptionName::parse(&"신".repeat(31)).is_err());
        assert!(ProductDescription::parse(" 123456789 ").is_err());
        assert!(ProductDescription::parse("1234567890").is_ok());
        assert!(ProductDescription::parse(&"x".repeat(201)).is_err());
    }

    #[test]
    fn a_price_is_from_0_to_a_billion() {
        assert!(UnitPrice::new(-1).is_err());
        assert!(UnitPrice::new(0).is_ok());
        assert!(UnitPrice::new(1_000_000_000).is_ok());
        assert!(UnitPrice::new(1_000_000_001).is_err());
    }

    #[test]
    fn a_product_has_at_least_one_option() {
        let new = NewProduct {
            name: ProductName::parse("Shoe").unwrap(),
            category: Category::Shoes,
            description: ProductDescription::parse("A shoe to walk in").unwrap(),
            options: vec![],
        };
        let made = Product::create(ProductId::new(1).unwrap(), &[], new, Timestamp::from_millis(0));
        assert_eq!(made, Err(ProductError::InvalidOptionCount));
    }
}
