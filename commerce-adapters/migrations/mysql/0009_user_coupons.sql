CREATE TABLE user_coupons (
    id BIGINT NOT NULL PRIMARY KEY,
    user_id BIGINT NOT NULL,
    coupon_id BIGINT NOT NULL,
    status VARCHAR(20) NOT NULL,
    place BIGINT NOT NULL CHECK (place > 0),
    task_id BIGINT NOT NULL,
    issued_at BIGINT NOT NULL,
    used_at BIGINT,
    order_id BIGINT,
    UNIQUE KEY user_coupons_holder (user_id, coupon_id),
    UNIQUE KEY user_coupons_place (coupon_id, place),
    KEY user_coupons_coupon (coupon_id, id),
    KEY user_coupons_task (task_id),
    KEY user_coupons_order (order_id),
    CHECK ((status = 'USED') = (order_id IS NOT NULL) AND (order_id IS NULL) = (used_at IS NULL))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
