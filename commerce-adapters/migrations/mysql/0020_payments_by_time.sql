-- What was sold is counted by the time of the payment, and a refunded sale is told as such.
CREATE INDEX payments_by_time ON payments (created_at, order_id, status);
