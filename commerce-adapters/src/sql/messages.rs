//! Messages as columns.

use super::backend::Row;
use super::{Backend, Fields};
use commerce_core::EventId;
use commerce_core::messaging::{Group, Groups, Message, OutboxRow};
use commerce_core::store::StoreError;

/// The columns of a message but for its id, as [`bind`] and [`read`] take them.
pub(crate) const COLUMNS: &str =
    "event_type, version, topic, aggregate_type, aggregate_id, occurred_at, correlation, trace_parent, only_for, payload";
/// Selects outbox rows, up to the WHERE; read by [`read_row`].
pub(crate) const SELECT_ROWS: &str = "SELECT seq, COALESCE(event_id, seq), event_type, version, topic, aggregate_type, aggregate_id, \
     occurred_at, correlation, trace_parent, only_for, payload, handled_by FROM outbox";

/// Binds [`COLUMNS`].
pub(super) fn bind<DB: Backend>(row: &mut Row<'_, DB>, message: &Message) {
    row.push_bind(message.event_type.clone());
    row.push_bind(i64::from(message.version));
    row.push_bind(message.topic.clone());
    row.push_bind(message.aggregate_type.clone());
    row.push_bind(message.aggregate_id);
    row.push_bind(message.occurred_at.millis());
    row.push_bind(message.correlation.clone());
    row.push_bind(message.trace_parent.clone());
    row.push_bind(message.only_for.map(Group::name).map(str::to_owned));
    row.push_bind(message.payload.clone());
}

/// Reads the id and [`COLUMNS`], which do not say who has handled it.
pub(super) fn read<DB: Backend>(row: &mut Fields<'_, DB>) -> Result<Message, StoreError> {
    Ok(Message {
        id: row.whole()?,
        event_type: row.text()?,
        version: row.whole()?,
        topic: row.text()?,
        aggregate_type: row.text()?,
        aggregate_id: row.int()?,
        occurred_at: row.at()?,
        correlation: row.text()?,
        trace_parent: row.opt_text()?,
        only_for: row.opt_word(Group::named)?,
        handled_by: Groups::default(),
        payload: row.text()?,
    })
}

/// Reads what [`SELECT_ROWS`] selects.
pub(crate) fn read_row<DB: Backend>(row: &mut Fields<'_, DB>) -> Result<OutboxRow, StoreError> {
    let seq: EventId = row.whole()?;
    let message = read(row)?;
    let handled_by = row.opt_text()?.as_deref().map_or_else(Groups::default, Groups::named);
    Ok(OutboxRow { row: seq, message: Message { handled_by, ..message } })
}
