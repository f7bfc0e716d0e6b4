-- seq is no order of commits: a lower one can be committed later. event_id is NULL where it is the same as seq: only an event that is sent
-- again has another one.
CREATE TABLE outbox (
    seq BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    event_id BIGINT,
    event_type VARCHAR(255) NOT NULL,
    version BIGINT NOT NULL,
    topic VARCHAR(255) NOT NULL,
    aggregate_type VARCHAR(255) NOT NULL,
    aggregate_id BIGINT NOT NULL,
    occurred_at BIGINT NOT NULL,
    correlation VARCHAR(255) NOT NULL,
    trace_parent VARCHAR(255),
    only_for VARCHAR(64),
    payload MEDIUMTEXT NOT NULL,
    claimed_until BIGINT,
    sent_at BIGINT,
    KEY outbox_event (event_id),
    KEY outbox_unsent (sent_at, seq)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
