CREATE TABLE point_entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    balance_after INTEGER NOT NULL CHECK (balance_after >= 0),
    order_id INTEGER,
    idempotency_key TEXT,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX point_entries_user ON point_entries (user_id, id);
CREATE INDEX point_entries_order ON point_entries (order_id) WHERE order_id IS NOT NULL;
