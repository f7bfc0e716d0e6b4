-- The groups that handled an event in the unit of work that appended it, with commas in between: they pass over it.
ALTER TABLE outbox ADD COLUMN handled_by VARCHAR(255);
