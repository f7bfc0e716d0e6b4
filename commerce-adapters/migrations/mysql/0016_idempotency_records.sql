-- Keys are bytes: of two texts that differ in the spaces at their ends alone, every collation that both servers know says that they are the
-- same. The key comes first in the unique key: keys are looked up by lists of keys and of owners, and keys tell more apart.
CREATE TABLE idempotency_records (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    owner BIGINT NOT NULL,
    idempotency_key VARBINARY(255) NOT NULL,
    fingerprint BINARY(32) NOT NULL,
    status BIGINT NOT NULL,
    location VARCHAR(1000),
    body LONGBLOB NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE KEY idempotency_records_key (idempotency_key, owner)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
