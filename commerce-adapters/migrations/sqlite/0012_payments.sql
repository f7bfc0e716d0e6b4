-- completed_order_id is the order while the payment is COMPLETED and NULL otherwise: its unique key is what keeps an order from being paid
-- twice, whatever was read before.
CREATE TABLE payments (
    id INTEGER PRIMARY KEY,
    order_id INTEGER NOT NULL,
    completed_order_id INTEGER UNIQUE,
    user_id INTEGER NOT NULL,
    method TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount >= 0),
    status TEXT NOT NULL,
    failure TEXT,
    created_at INTEGER NOT NULL,
    CHECK ((status = 'COMPLETED') = (completed_order_id IS NOT NULL))
) STRICT;

CREATE INDEX payments_order ON payments (order_id, id);
CREATE INDEX payments_completed ON payments (created_at, order_id) WHERE status = 'COMPLETED';
