CREATE TABLE coupons (
    id BIGINT NOT NULL PRIMARY KEY,
    name VARCHAR(100) NOT NULL,
    discount_kind VARCHAR(20) NOT NULL,
    discount_value BIGINT NOT NULL CHECK (discount_value > 0),
    initial_stock BIGINT NOT NULL,
    issued BIGINT NOT NULL,
    opens_at BIGINT,
    expires_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    CHECK (issued BETWEEN 0 AND initial_stock)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
