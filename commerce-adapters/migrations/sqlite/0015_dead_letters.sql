-- open_event_id is the event until the letter is replayed and NULL afterwards: its unique key keeps a group from putting an event aside twice.
CREATE TABLE dead_letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    group_name TEXT NOT NULL,
    open_event_id INTEGER,
    event_id INTEGER NOT NULL,
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
    source_topic TEXT NOT NULL,
    source_partition INTEGER NOT NULL,
    source_offset INTEGER NOT NULL,
    reason TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    replayed_at INTEGER,
    UNIQUE (group_name, open_event_id)
) STRICT;

CREATE INDEX dead_letters_open ON dead_letters (id) WHERE replayed_at IS NULL;
CREATE INDEX dead_letters_replayed ON dead_letters (replayed_at) WHERE replayed_at IS NOT NULL;
