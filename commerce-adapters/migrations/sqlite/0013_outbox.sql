-- seq is the order of commits, because there is one writer at a time. event_id is NULL where it is the same as seq: only an event that is
-- sent again has another one.
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id INTEGER,
    event_type TEXT NOT NULL,
    version INTEGER NOT NULL,
    topic TEXT NOT NULL,
    aggregate_type TEXT NOT NULL,
    aggregate_id INTEGER NOT NULL,
    occurred_at INTEGER NOT NULL,
    correlation TEXT NOT NULL,
    trace_parent TEXT,
    only_for TEXT,
    payload TEXT NOT NULL,
    claimed_until INTEGER,
    sent_at INTEGER
) STRICT;

CREATE INDEX outbox_event ON outbox (event_id) WHERE event_id IS NOT NULL;
CREATE INDEX outbox_unsent ON outbox (seq) WHERE sent_at IS NULL;
