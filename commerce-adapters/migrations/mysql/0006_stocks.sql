-- Apart from the options: this table is written by every order and its rows are small, names and prices are read only.
CREATE TABLE stocks (
    option_id BIGINT NOT NULL PRIMARY KEY,
    quantity BIGINT NOT NULL CHECK (quantity BETWEEN 0 AND 1000000000),
    version BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
