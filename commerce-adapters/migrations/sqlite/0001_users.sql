-- No table has foreign keys: each insert of a child would look its parent up once more, on the hottest paths of the shop, for a rule
-- the handlers keep anyway and the audit proves. Times are milliseconds since 1970-01-01T00:00:00Z.
CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
