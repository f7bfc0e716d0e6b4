-- One row at most: the time zone whose days are counted. What was counted by another one is worthless.
CREATE TABLE ranking_calendar (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    time_zone TEXT NOT NULL
) STRICT;
