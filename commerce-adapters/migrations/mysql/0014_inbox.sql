CREATE TABLE inbox (
    group_name VARCHAR(64) NOT NULL,
    event_id BIGINT NOT NULL,
    handled_at BIGINT NOT NULL,
    PRIMARY KEY (group_name, event_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
