-- Apart from the options: this table is written by every order and its rows are small, names and prices are read only.
CREATE TABLE stocks (
    option_id INTEGER PRIMARY KEY,
    quantity INTEGER NOT NULL CHECK (quantity BETWEEN 0 AND 1000000000),
    version INTEGER NOT NULL
) STRICT;
