use super::page_rows;
use crate::sql::statements::{fetch, select_in};
use crate::sql::{Backend, Link, products};
use commerce_core::ProductId;
use commerce_core::product::Product;
use commerce_core::store::{Page, PageLimit, ProductFilter, ProductPage, StoreError};
use sqlx::QueryBuilder;

pub(super) async fn products<DB: Backend>(link: &mut dyn Link<DB>, ids: &[ProductId]) -> Result<Vec<Product>, StoreError> {
    let head = format!("SELECT {} FROM products WHERE id IN", products::COLUMNS);
    let ids = ids.iter().map(|id| id.get());
    let mut found = select_in(link, &head, ids, " ORDER BY id", products::read).await?;
    products::add_options::<DB>(link, &mut found).await?;
    Ok(found)
}

pub(super) async fn find_products<DB: Backend>(
    link: &mut dyn Link<DB>,
    filter: &ProductFilter,
    after: Option<ProductId>,
    limit: PageLimit,
) -> Result<ProductPage, StoreError> {
    let mut query = QueryBuilder::<DB>::new("SELECT ");
    query.push(products::COLUMNS).push(" FROM products WHERE id > ").push_bind(after.map_or(0, i64::from));
    if let Some(category) = filter.category {
        query.push(" AND category = ").push_bind(category.as_str());
    }
    if let Some(text) = &filter.text {
        let pattern = containing(text);
        query.push(" AND (");
        DB::push_like(&mut query, "name", pattern.clone());
        query.push(" OR ");
        DB::push_like(&mut query, "description", pattern);
        query.push(")");
    }
    query.push(" ORDER BY id LIMIT ").push_bind(page_rows(limit));
    let mut page = Page::cut(fetch(link, query, products::read).await?, limit, |product| product.id);
    products::add_options::<DB>(link, &mut page.items).await?;
    Ok(page)
}

/// A LIKE pattern for texts that contain this one; `!` takes its special meaning from a character. A backslash will not do: the dialects
/// do not agree how it is written in a literal.
fn containing(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for character in text.chars() {
        if matches!(character, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::containing;

    #[test]
    fn a_searched_text_is_taken_literally() {
        assert_eq!(containing(r"50% _off_!\"), r"%50!% !_off!_!!\%");
    }
}
