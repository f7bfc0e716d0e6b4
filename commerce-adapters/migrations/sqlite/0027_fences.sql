-- The last holder of each lock that wrote: an earlier one must not write any more.
CREATE TABLE fences (
    lock_name TEXT PRIMARY KEY,
    number INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
