-- Under which grant of the lock a day was begun anew: nobody else may call it whole.
ALTER TABLE board_days ADD COLUMN fence INTEGER NOT NULL DEFAULT 0;
