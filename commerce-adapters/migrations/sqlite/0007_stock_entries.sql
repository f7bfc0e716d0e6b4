CREATE TABLE stock_entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    option_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    delta INTEGER NOT NULL,
    order_id INTEGER,
    reason TEXT,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX stock_entries_option ON stock_entries (option_id, id);
CREATE INDEX stock_entries_order ON stock_entries (order_id, option_id, delta) WHERE order_id IS NOT NULL;
