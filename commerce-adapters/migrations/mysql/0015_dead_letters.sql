-- open_event_id is the event until the letter is replayed and NULL afterwards: its unique key keeps a group from putting an event aside twice.
-- What cannot be read may have any length.
CREATE TABLE dead_letters (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    group_name VARCHAR(64) NOT NULL,
    open_event_id BIGINT,
    event_id BIGINT NOT NULL,
    event_type TEXT NOT NULL,
    version BIGINT NOT NULL,
    topic TEXT NOT NULL,
    aggregate_type TEXT NOT NULL,
    aggregate_id BIGINT NOT NULL,
    occurred_at BIGINT NOT NULL,
    correlation TEXT NOT NULL,
    trace_parent TEXT,
    only_for VARCHAR(64),
    payload LONGTEXT NOT NULL,
    source_topic VARCHAR(255) NOT NULL,
    source_partition BIGINT NOT NULL,
    source_offset BIGINT NOT NULL,
    reason MEDIUMTEXT NOT NULL,
    attempts BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    replayed_at BIGINT,
    UNIQUE KEY dead_letters_open (group_name, open_event_id),
    KEY dead_letters_replayed (replayed_at, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
