-- completed_order_id is the order while the payment is COMPLETED and NULL otherwise: its unique key is what keeps an order from being paid
-- twice, whatever was read before.
CREATE TABLE payments (
    id BIGINT NOT NULL PRIMARY KEY,
    order_id BIGINT NOT NULL,
    completed_order_id BIGINT,
    user_id BIGINT NOT NULL,
    method VARCHAR(20) NOT NULL,
    amount BIGINT NOT NULL CHECK (amount >= 0),
    status VARCHAR(20) NOT NULL,
    failure VARCHAR(100),
    created_at BIGINT NOT NULL,
    UNIQUE KEY payments_completed_order (completed_order_id),
    KEY payments_order (order_id, id),
    CHECK ((status = 'COMPLETED') = (completed_order_id IS NOT NULL))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
