-- The last holder of each lock that wrote: an earlier one must not write any more.
-- Names are told apart byte by byte: no collation that both servers have minds a space at the end.
CREATE TABLE fences (
    lock_name VARBINARY(1020) NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
