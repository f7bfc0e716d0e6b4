-- The key comes first in the unique key: keys are looked up by lists of keys and of owners, and keys tell more apart.
CREATE TABLE idempotency_records (
    id INTEGER PRIMARY KEY,
    owner INTEGER NOT NULL,
    idempotency_key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    status INTEGER NOT NULL,
    location TEXT,
    body BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (idempotency_key, owner)
) STRICT;
