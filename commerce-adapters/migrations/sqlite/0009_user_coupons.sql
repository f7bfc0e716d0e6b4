CREATE TABLE user_coupons (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL,
    coupon_id INTEGER NOT NULL,
    status TEXT NOT NULL,
    place INTEGER NOT NULL CHECK (place > 0),
    task_id INTEGER NOT NULL,
    issued_at INTEGER NOT NULL,
    used_at INTEGER,
    order_id INTEGER,
    UNIQUE (user_id, coupon_id),
    UNIQUE (coupon_id, place),
    CHECK ((status = 'USED') = (order_id IS NOT NULL) AND (order_id IS NULL) = (used_at IS NULL))
) STRICT;

CREATE INDEX user_coupons_coupon ON user_coupons (coupon_id, id);
CREATE INDEX user_coupons_task ON user_coupons (task_id);
CREATE INDEX user_coupons_order ON user_coupons (order_id) WHERE order_id IS NOT NULL;
