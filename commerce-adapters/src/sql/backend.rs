use super::statements::Update;
use super::{Link, Value};
use async_trait::async_trait;
use commerce_core::messaging::OutboxRow;
use commerce_core::store::StoreError;
use sqlx::query_builder::Separated;
use sqlx::{ColumnIndex, Database, Decode, Encode, Executor, IntoArguments, QueryBuilder, Type};

/// A type is another type. Bounds on [`IsInner::It`] hold wherever `X: Is<T, It: …>` is a supertrait, while a where-clause that says the
/// same of `T` would have to be repeated at every use.
pub(crate) trait Is<T>: IsInner<T, It = T> {}
/// See [`Is`].
pub(crate) trait IsInner<T> {
    /// The type itself.
    type It;
}
impl<T, U: ?Sized> IsInner<T> for U {
    type It = T;
}
impl<T, U: ?Sized> Is<T> for U {}

/// The binds of one row.
pub(crate) type Row<'a, DB> = Separated<'a, DB, &'static str>;

/// A database the repositories run on: everything in which the dialects differ.
pub(crate) trait Backend:
    Database<Arguments: IntoArguments<Self>>
    + for<'c> Is<&'c mut <Self as Database>::Connection, It: Executor<'c, Database = Self>>
    + Is<usize, It: ColumnIndex<<Self as Database>::Row>>
    + Is<i64, It: for<'q> Encode<'q, Self> + for<'r> Decode<'r, Self> + Type<Self>>
    + Is<Option<i64>, It: for<'q> Encode<'q, Self> + for<'r> Decode<'r, Self> + Type<Self>>
    + Is<String, It: for<'q> Encode<'q, Self> + for<'r> Decode<'r, Self> + Type<Self>>
    + Is<Option<String>, It: for<'q> Encode<'q, Self> + for<'r> Decode<'r, Self> + Type<Self>>
    + Is<Vec<u8>, It: for<'q> Encode<'q, Self> + for<'r> Decode<'r, Self> + Type<Self>>
    + Is<&'static str, It: for<'q> Encode<'q, Self> + Type<Self>>
{
    /// What a unit of work holds from its begin to its end.
    type Session: Session<Self>;

    /// Put behind a SELECT whose rows are to stay as they are until the unit of work ends; begins with a space unless it is empty.
    const FOR_UPDATE: &'static str;

    /// Put behind a SELECT that passes over rows somebody else has locked, and locks the others; begins with a space unless it is empty.
    const SKIP_LOCKED: &'static str;

    /// The most rows of one INSERT or UPDATE; a power of two.
    const ROWS_MAX: usize;

    /// Up to this many rows an INSERT is one statement, whatever their number; beyond, and at most [`ROWS_MAX`](Self::ROWS_MAX), it is cut
    /// into pieces whose lengths are powers of two. It is a matter of how many statements a connection keeps prepared, and of what preparing
    /// costs.
    const INSERT_ROWS_EXACT: usize;

    /// Whether an UPDATE says by `RETURNING` what it wrote. If not, [`last_id`](Self::last_id) is what it gave to `LAST_INSERT_ID`.
    const RETURNS: bool;

    /// Whether the ids that an INSERT gives its rows are consecutive and end with [`last_id`](Self::last_id). If not, nobody asks for them.
    const NUMBERS_ROWS: bool;

    /// What holds of an outbox row that not everybody has who is to have it.
    const UNDELIVERED: &'static str;

    /// Ends an INSERT that leaves rows alone whose unique keys exist; `column` is any column whose values come with the rows.
    fn push_ignore(query: &mut QueryBuilder<Self>, column: &str);

    /// Writes a statement that changes many rows at once, each to values of its own. A row is its key, then the columns, and then the version
    /// that was read if the update is versioned; a row given twice MUST be counted once.
    fn push_update(query: &mut QueryBuilder<Self>, update: &Update, rows: &[Vec<Value>]);

    /// Writes the condition that two columns are one of these pairs, so that each is looked up in an index of both.
    fn push_pairs(query: &mut QueryBuilder<Self>, columns: [&str; 2], pairs: &[[Value; 2]]);

    /// Writes the condition that a column matches a LIKE pattern whatever the case of ASCII letters; `!` takes its special meaning from a character.
    fn push_like(query: &mut QueryBuilder<Self>, column: &str, pattern: String);

    /// How many rows a statement changed; of an update, how many it found.
    fn rows_affected(result: &Self::QueryResult) -> u64;

    /// The id a statement has given last.
    fn last_id(result: &Self::QueryResult) -> i64;

    /// Put behind the table of a SELECT that is to read by this index and no other, where the database would be led astray by its statistics. Begins
    /// with a space unless it is empty.
    fn by_index(index: &str) -> String;

    /// What an error of the driver means.
    fn error(error: sqlx::Error) -> StoreError;
}

/// A connection in a transaction. Dropping it MUST roll the transaction back.
#[async_trait]
pub(crate) trait Session<DB: Backend>: Send + 'static {
    /// The connection.
    fn link(&mut self) -> &mut dyn Link<DB>;

    /// Commits the transaction, in which `written` was added to the outbox.
    async fn commit(self, written: Vec<OutboxRow>) -> Result<(), StoreError>;
}
