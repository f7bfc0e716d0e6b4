-- place is the one the gate gave until the coupon is issued, and then the one of the user coupon. Old rows are deleted from the front: tasks
-- are numbered in the order of time, more or less.
CREATE TABLE coupon_requests (
    task_id BIGINT NOT NULL PRIMARY KEY,
    coupon_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    user_coupon_id BIGINT NOT NULL,
    place BIGINT NOT NULL CHECK (place > 0),
    admitted_at BIGINT NOT NULL,
    status VARCHAR(20) NOT NULL CHECK (status IN ('PENDING', 'ISSUED', 'FAILED')),
    failure VARCHAR(100),
    decided_at BIGINT,
    KEY coupon_requests_pending (status, task_id),
    CHECK ((status = 'PENDING') = (decided_at IS NULL) AND (status = 'FAILED') = (failure IS NOT NULL))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
