CREATE TABLE coupons (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    discount_kind TEXT NOT NULL,
    discount_value INTEGER NOT NULL CHECK (discount_value > 0),
    initial_stock INTEGER NOT NULL,
    issued INTEGER NOT NULL CHECK (issued BETWEEN 0 AND initial_stock),
    opens_at INTEGER,
    expires_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
