//! Products and their options.

mod catalog;
mod create;
mod entry;
mod repository;

pub use catalog::{
    Category, NewOption, NewProduct, OptionDetails, OptionName, Product, ProductDescription, ProductError, ProductName, ProductOption,
    UnitPrice,
};
pub use create::{CreateProduct, CreateProducts};
pub use entry::{CatalogEntry, CatalogOption, OptionStock};
pub use repository::ProductRepository;
