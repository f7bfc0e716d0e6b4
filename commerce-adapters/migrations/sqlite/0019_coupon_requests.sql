-- place is the one the gate gave until the coupon is issued, and then the one of the user coupon. Old rows are deleted from the front: tasks
-- are numbered in the order of time, more or less.
CREATE TABLE coupon_requests (
    task_id INTEGER PRIMARY KEY,
    coupon_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    user_coupon_id INTEGER NOT NULL,
    place INTEGER NOT NULL CHECK (place > 0),
    admitted_at INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('PENDING', 'ISSUED', 'FAILED')),
    failure TEXT,
    decided_at INTEGER,
    CHECK ((status = 'PENDING') = (decided_at IS NULL) AND (status = 'FAILED') = (failure IS NOT NULL))
) STRICT;

-- The status comes first, though it is always the same: else the primary key would be preferred, and all that was ever decided be passed over.
CREATE INDEX coupon_requests_pending ON coupon_requests (status, task_id) WHERE status = 'PENDING';
