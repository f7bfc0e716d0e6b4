CREATE TABLE inbox (
    group_name TEXT NOT NULL,
    event_id INTEGER NOT NULL,
    handled_at INTEGER NOT NULL,
    PRIMARY KEY (group_name, event_id)
) STRICT, WITHOUT ROWID;
