CREATE TABLE orders (
    id BIGINT NOT NULL PRIMARY KEY,
    user_id BIGINT NOT NULL,
    user_coupon_id BIGINT,
    original_price BIGINT NOT NULL CHECK (original_price >= 0),
    discount BIGINT NOT NULL CHECK (discount >= 0),
    total BIGINT NOT NULL CHECK (total >= 0),
    status VARCHAR(20) NOT NULL,
    failure VARCHAR(100),
    ordered_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    KEY orders_user (user_id, ordered_at, id),
    KEY orders_awaiting_payment (status, expires_at, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
