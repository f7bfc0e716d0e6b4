//! Statements over many rows, in shapes whose sizes are powers of two.
//!
//! Drivers keep statements prepared by their text. If every number of rows made a text of its own, that cache would overflow and each
//! statement would be prepared anew; with powers of two a table has nine shapes of each kind.

use super::backend::Row;
use super::link::{answer, settle};
use super::{Backend, Fields, Link, Value, read_whole};
use commerce_core::store::StoreError;
use sqlx::QueryBuilder;
use std::iter::repeat_n;

/// The most values of one IN list; a power of two. MariaDB makes a join of a list of a thousand, and reads and locks in another order then.
pub(crate) const VALUES_MAX: usize = 512;

/// An UPDATE that gives each of many rows values of its own.
pub(crate) struct Update {
    /// The table.
    pub(crate) table: &'static str,
    /// Its primary key.
    pub(crate) key: &'static str,
    /// The columns to write.
    pub(crate) columns: &'static [&'static str],
    /// Whether the table has a version, which has to be the one that was read and rises by one.
    pub(crate) guard: Guard,
}

/// What has to hold of a row that is updated.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    /// It exists.
    Exists,
    /// Its version is the one that was read.
    Version,
}

/// An UPDATE that adds to a column of one row if it stays from 0 to `max`, and raises its version.
pub(crate) struct Shift {
    /// The table.
    pub(crate) table: &'static str,
    /// Its primary key.
    pub(crate) key: &'static str,
    /// The column.
    pub(crate) column: &'static str,
    /// The most it may be.
    pub(crate) max: i64,
}

/// Cuts a slice into pieces whose lengths are powers of two, the largest first: 37 = 32 + 4 + 1. A rest of at most `exact` is one piece.
pub(crate) fn pieces<T>(items: &[T], exact: usize, max: usize) -> impl Iterator<Item = &[T]> {
    let mut rest = items;
    std::iter::from_fn(move || {
        let power = 1 << rest.len().checked_ilog2()?;
        let len = if rest.len() <= exact { rest.len() } else { max.min(power) };
        let (piece, others) = rest.split_at(len);
        rest = others;
        Some(piece)
    })
}

/// Repeats the last item until the length is a power of two.
pub(crate) fn padded<T>(items: &[T]) -> impl Iterator<Item = &T> {
    let missing = items.len().next_power_of_two() - items.len();
    items.iter().chain(items.last().into_iter().flat_map(move |last| repeat_n(last, missing)))
}

/// Adds rows; `columns` are separated by commas. Answers the ids of the rows if the database [numbers](Backend::NUMBERS_ROWS) them, else none.
pub(crate) async fn insert<DB: Backend, T: Sync>(
    link: &mut dyn Link<DB>,
    table: &str,
    columns: &str,
    rows: &[T],
    mut bind: impl FnMut(Row<'_, DB>, &T) + Send,
) -> Result<Vec<i64>, StoreError> {
    let mut ids = Vec::new();
    for piece in pieces(rows, DB::INSERT_ROWS_EXACT, DB::ROWS_MAX) {
        let mut query = QueryBuilder::<DB>::new("INSERT INTO ");
        query.push(table).push(" (").push(columns).push(") ").push_values(piece, &mut bind);
        let result = run(link, query).await?;
        expect_rows(DB::rows_affected(&result), piece.len())?;
        if DB::NUMBERS_ROWS {
            let end = DB::last_id(&result) + 1;
            ids.extend(end - i64::try_from(piece.len()).unwrap_or(i64::MAX)..end);
        }
    }
    Ok(ids)
}

/// Adds the rows whose unique keys do not exist yet; `column` is any column whose values come with the rows.
pub(crate) async fn insert_new<DB: Backend, T: Sync>(
    link: &mut dyn Link<DB>,
    [table, column]: [&str; 2],
    columns: &str,
    rows: &[T],
    mut bind: impl FnMut(Row<'_, DB>, &T) + Send,
) -> Result<(), StoreError> {
    for piece in rows.chunks(DB::ROWS_MAX) {
        let mut query = QueryBuilder::<DB>::new("INSERT INTO ");
        query.push(table).push(" (").push(columns).push(") ").push_values(padded(piece), &mut bind);
        DB::push_ignore(&mut query, column);
        run(link, query).await?;
    }
    Ok(())
}

/// Changes rows to the values of each, in the order of [`Backend::push_update`]; fails with [`StoreError::Conflict`] unless the guard held for
/// every one of them.
pub(crate) async fn update<DB: Backend, T: Sync, const N: usize>(
    link: &mut dyn Link<DB>,
    update: &Update,
    rows: &[T],
    values: impl Fn(&T) -> [Value; N] + Send,
) -> Result<(), StoreError> {
    for piece in rows.chunks(DB::ROWS_MAX) {
        let rows: Vec<Vec<Value>> = padded(piece).map(|row| values(row).into()).collect();
        let mut query = QueryBuilder::<DB>::new("");
        DB::push_update(&mut query, update, &rows);
        let result = run(link, query).await?;
        if usize::try_from(DB::rows_affected(&result)) != Ok(piece.len()) {
            return Err(StoreError::Conflict);
        }
    }
    Ok(())
}

/// Adds to a column of the row with this key, and answers what it is then; `None` if it would leave its bounds, or if there is no such row. It is one
/// round trip.
pub(crate) async fn shift<DB: Backend>(link: &mut dyn Link<DB>, shift: &Shift, key: i64, delta: i64) -> Result<Option<i64>, StoreError> {
    let Shift { table, key: key_column, column, max } = shift;
    let mut query = QueryBuilder::<DB>::new(format!("UPDATE {table} SET version = version + 1, {column} = "));
    if DB::RETURNS {
        query.push(format_args!("{column} + ")).push_bind(delta);
    } else {
        query.push(format_args!("LAST_INSERT_ID({column} + ")).push_bind(delta).push(")");
    }
    query.push(format_args!(" WHERE {key_column} = ")).push_bind(key).push(format_args!(" AND {column} BETWEEN "));
    query.push_bind(0_i64.saturating_sub(delta)).push(" AND ").push_bind(max.saturating_sub(delta));
    if DB::RETURNS {
        query.push(format_args!(" RETURNING {column}"));
        return Ok(fetch(link, query, read_whole).await?.pop());
    }
    let result = run(link, query).await?;
    Ok((DB::rows_affected(&result) == 1).then(|| DB::last_id(&result)))
}

/// Selects rows by a list of values: `head` ends where the list begins, `tail` follows it. The values are taken in ascending order, so
/// that an ORDER BY on them holds for the whole answer.
pub(crate) async fn select_in<DB: Backend, T: Send>(
    link: &mut dyn Link<DB>,
    head: &str,
    values: impl IntoIterator<Item = i64> + Send,
    tail: &str,
    mut read: impl FnMut(&mut Fields<'_, DB>) -> Result<T, StoreError> + Send,
) -> Result<Vec<T>, StoreError> {
    let mut values: Vec<i64> = values.into_iter().collect();
    values.sort_unstable();
    values.dedup();
    let mut found = Vec::with_capacity(values.len());
    for piece in values.chunks(VALUES_MAX) {
        let mut query = QueryBuilder::<DB>::new(head);
        push_list(&mut query, piece);
        query.push(tail);
        found.append(&mut fetch(link, query, &mut read).await?);
    }
    Ok(found)
}

/// Put behind the table of a SELECT that locks rows by their keys. It so reads those and no others, however few the table has: what it reads on
/// its way it would wait for.
pub(crate) fn by_key<DB: Backend>() -> String {
    DB::by_index("PRIMARY")
}

/// Writes a list of numbers in brackets, padded to a power of two.
pub(crate) fn push_list<DB: Backend>(query: &mut QueryBuilder<DB>, values: &[i64]) {
    query.push(" (");
    let mut list = query.separated(", ");
    for value in padded(values) {
        list.push_bind(*value);
    }
    list.push_unseparated(")");
}

/// Writes a list of texts in brackets, padded to a power of two.
pub(crate) fn push_texts<DB: Backend>(query: &mut QueryBuilder<DB>, values: &[String]) {
    query.push(" (");
    let mut list = query.separated(", ");
    for value in padded(values) {
        list.push_bind(value.clone());
    }
    list.push_unseparated(")");
}

/// Runs a query and reads each of its rows.
pub(crate) async fn fetch<DB: Backend, T: Send>(
    link: &mut dyn Link<DB>,
    mut query: QueryBuilder<DB>,
    mut read: impl FnMut(&mut Fields<'_, DB>) -> Result<T, StoreError> + Send,
) -> Result<Vec<T>, StoreError> {
    #[cfg(all(test, feature = "embedded"))]
    seen::note(query.sql().as_str());
    let rows = answer(link.patience(), query.build().fetch_all(link.start()?)).await;
    settle(link, rows)?.iter().map(|row| read(&mut Fields::of(row))).collect()
}

/// Runs a statement that writes, and answers how many rows it changed.
pub(crate) async fn execute<DB: Backend>(link: &mut dyn Link<DB>, query: QueryBuilder<DB>) -> Result<u64, StoreError> {
    Ok(DB::rows_affected(&run(link, query).await?))
}

async fn run<DB: Backend>(link: &mut dyn Link<DB>, mut query: QueryBuilder<DB>) -> Result<DB::QueryResult, StoreError> {
    #[cfg(all(test, feature = "embedded"))]
    seen::note(query.sql().as_str());
    let result = answer(link.patience(), query.build().execute(link.start()?)).await;
    settle(link, result)
}

/// Remembers the statements that ran on SQLite, for the test that looks at their plans.
#[cfg(all(test, feature = "embedded"))]
pub(crate) mod seen {
    use std::collections::BTreeSet;
    use std::sync::Mutex;

    static STATEMENTS: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

    pub(super) fn note(statement: &str) {
        STATEMENTS.lock().unwrap().insert(statement.to_owned());
    }

    pub(crate) fn statements() -> BTreeSet<String> {
        STATEMENTS.lock().unwrap().clone()
    }
}

fn expect_rows(affected: u64, expected: usize) -> Result<(), StoreError> {
    if usize::try_from(affected) == Ok(expected) {
        return Ok(());
    }
    Err(StoreError::Backend(format!("{affected} rows were written instead of {expected}").into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(items: usize, exact: usize) -> Vec<usize> {
        pieces(&vec![(); items], exact, 256).map(<[()]>::len).collect()
    }

    #[test]
    fn rows_are_split_into_powers_of_two() {
        assert_eq!(lengths(37, 0), [32, 4, 1]);
        assert_eq!(lengths(0, 0), [0; 0]);
        assert_eq!(lengths(600, 0), [256, 256, 64, 16, 8]);
    }

    #[test]
    fn few_rows_stay_together_where_preparing_is_cheap() {
        assert_eq!(lengths(37, 48), [37]);
        assert_eq!(lengths(0, 48), [0; 0]);
        assert_eq!(lengths(103, 48), [64, 39]);
    }

    #[test]
    fn lists_are_padded_with_their_last_value() {
        assert_eq!(padded(&[1, 2, 3]).collect::<Vec<_>>(), [&1, &2, &3, &3]);
        assert_eq!(padded(&[1, 2]).collect::<Vec<_>>(), [&1, &2]);
        assert_eq!(padded::<i64>(&[]).count(), 0);
    }
}
