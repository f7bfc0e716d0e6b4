-- In the order of the ranking itself.
CREATE TABLE ranked_products (
    today TEXT NOT NULL,
    product_id INTEGER NOT NULL,
    units INTEGER NOT NULL CHECK (units > 0),
    PRIMARY KEY (today, units DESC, product_id)
) STRICT, WITHOUT ROWID;
