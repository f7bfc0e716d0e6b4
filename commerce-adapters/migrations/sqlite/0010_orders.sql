CREATE TABLE orders (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL,
    user_coupon_id INTEGER,
    original_price INTEGER NOT NULL CHECK (original_price >= 0),
    discount INTEGER NOT NULL CHECK (discount >= 0),
    total INTEGER NOT NULL CHECK (total >= 0),
    status TEXT NOT NULL,
    failure TEXT,
    ordered_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;

CREATE INDEX orders_user ON orders (user_id, ordered_at, id);
CREATE INDEX orders_awaiting_payment ON orders (expires_at, id) WHERE status = 'AWAITING_PAYMENT';
