-- No CHECK of the units: what is taken off is a negative row until it meets the one that is there.
CREATE TABLE board_units (
    day TEXT NOT NULL,
    product_id INTEGER NOT NULL,
    units INTEGER NOT NULL,
    PRIMARY KEY (day, product_id)
) STRICT, WITHOUT ROWID;
