-- The days whose ranking was made; one of which nothing was sold has no products.
CREATE TABLE rankings (
    today TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
