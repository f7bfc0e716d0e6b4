-- The orders a board has heard of: each counts once, and no more once it is refunded.
CREATE TABLE board_orders (
    day TEXT NOT NULL,
    order_id INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('PAID', 'REFUNDED')),
    PRIMARY KEY (day, order_id)
) STRICT, WITHOUT ROWID;
