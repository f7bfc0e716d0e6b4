-- A day is written YYYY-MM-DD, here and in the tables below.
CREATE TABLE board_days (
    day TEXT PRIMARY KEY,
    whole INTEGER NOT NULL CHECK (whole IN (0, 1))
) STRICT, WITHOUT ROWID;
