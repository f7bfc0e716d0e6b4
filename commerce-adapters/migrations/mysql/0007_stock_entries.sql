CREATE TABLE stock_entries (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    option_id BIGINT NOT NULL,
    kind VARCHAR(20) NOT NULL,
    delta BIGINT NOT NULL,
    order_id BIGINT,
    reason VARCHAR(1000),
    created_at BIGINT NOT NULL,
    KEY stock_entries_option (option_id, id),
    KEY stock_entries_order (order_id, option_id, delta)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
