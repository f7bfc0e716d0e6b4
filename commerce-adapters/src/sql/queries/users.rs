use super::page_rows;
use crate::sql::statements::fetch;
use crate::sql::{Backend, Link, points, read_whole, users};
use commerce_core::store::{Page, PageLimit, PointEntryPage, StoreError};
use commerce_core::user::{Email, User};
use commerce_core::{Money, PointEntryId, UserId};
use sqlx::QueryBuilder;

pub(super) async fn user<DB: Backend>(link: &mut dyn Link<DB>, id: UserId) -> Result<Option<User>, StoreError> {
    let mut query = QueryBuilder::<DB>::new("SELECT ");
    query.push(users::COLUMNS).push(" FROM users WHERE id = ").push_bind(id.get());
    Ok(fetch(link, query, users::read).await?.pop())
}

pub(super) async fn user_by_email<DB: Backend>(link: &mut dyn Link<DB>, email: &Email) -> Result<Option<User>, StoreError> {
    let mut query = QueryBuilder::<DB>::new("SELECT ");
    query.push(users::COLUMNS).push(" FROM users WHERE email_key = ").push_bind(email.unique_key());
    Ok(fetch(link, query, users::read).await?.pop())
}

pub(super) async fn has_users<DB: Backend>(link: &mut dyn Link<DB>) -> Result<bool, StoreError> {
    let query = QueryBuilder::<DB>::new("SELECT id FROM users WHERE id > 0 LIMIT 1");
    Ok(!fetch::<DB, i64>(link, query, read_whole).await?.is_empty())
}

pub(super) async fn balance<DB: Backend>(link: &mut dyn Link<DB>, user: UserId) -> Result<Option<Money>, StoreError> {
    let mut query = QueryBuilder::<DB>::new("SELECT balance FROM point_accounts WHERE user_id = ");
    query.push_bind(user.get());
    Ok(fetch(link, query, read_whole).await?.pop())
}

pub(super) async fn point_entries<DB: Backend>(
    link: &mut dyn Link<DB>,
    user: UserId,
    before: Option<PointEntryId>,
    limit: PageLimit,
) -> Result<PointEntryPage, StoreError> {
    let mut query = QueryBuilder::<DB>::new("SELECT ");
    query.push(points::ENTRY_COLUMNS).push(" FROM point_entries").push(DB::by_index("point_entries_user"));
    query.push(" WHERE user_id = ").push_bind(user.get());
    query.push(" AND id < ").push_bind(before.map_or(i64::MAX, i64::from)).push(" ORDER BY id DESC LIMIT ").push_bind(page_rows(limit));
    Ok(Page::cut(fetch(link, query, points::read_entry).await?, limit, |entry| entry.id))
}
