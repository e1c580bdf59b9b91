-- +goose Up
-- What was not folded yet. Days are numbers, 20260318, and the columns d1 to d12 are the service's dimensions by their
-- place in its schema; the meaning is in doc.go. Text compares byte by byte, as in SQLite, so that both engines keep and
-- lock rows in the same order.
--
-- The key is the only index: writing must stay cheap, and the table is short. It gives the folder its order, old batches
-- first, and finds a county's rows for a reader.
CREATE TABLE statistics_delta (
    county_code text     COLLATE "C" NOT NULL,
    batch_id    text     COLLATE "C" NOT NULL,
    line        integer  NOT NULL,
    counter     text     COLLATE "C" NOT NULL,
    day         integer  NOT NULL,
    bucket      smallint NOT NULL,
    n           bigint   NOT NULL,
    d1          text     COLLATE "C" NOT NULL DEFAULT '',
    d2          text     COLLATE "C" NOT NULL DEFAULT '',
    d3          text     COLLATE "C" NOT NULL DEFAULT '',
    d4          text     COLLATE "C" NOT NULL DEFAULT '',
    d5          text     COLLATE "C" NOT NULL DEFAULT '',
    d6          text     COLLATE "C" NOT NULL DEFAULT '',
    d7          text     COLLATE "C" NOT NULL DEFAULT '',
    d8          text     COLLATE "C" NOT NULL DEFAULT '',
    d9          text     COLLATE "C" NOT NULL DEFAULT '',
    d10         text     COLLATE "C" NOT NULL DEFAULT '',
    d11         text     COLLATE "C" NOT NULL DEFAULT '',
    d12         text     COLLATE "C" NOT NULL DEFAULT '',
    PRIMARY KEY (county_code, batch_id, line)
-- Every row is deleted within seconds: the dead ones go when there are a few batches of them, however long the table is.
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- What was folded: one row for each cell of each cube, "M1.4" being months by the first and the fourth dimension.
--
-- The key is the only index here too. County, cube, counter and period lead it because every reader names them: a
-- figure is one range of it for each counter. The dimensions and the bucket make it the cell, which folding looks up to
-- add to. n is in no index and pages keep room, so that adding is an update in place.
CREATE TABLE statistics_total (
    county_code text     COLLATE "C" NOT NULL,
    cube        text     COLLATE "C" NOT NULL,
    counter     text     COLLATE "C" NOT NULL,
    period      integer  NOT NULL,
    d1          text     COLLATE "C" NOT NULL DEFAULT '',
    d2          text     COLLATE "C" NOT NULL DEFAULT '',
    d3          text     COLLATE "C" NOT NULL DEFAULT '',
    d4          text     COLLATE "C" NOT NULL DEFAULT '',
    d5          text     COLLATE "C" NOT NULL DEFAULT '',
    d6          text     COLLATE "C" NOT NULL DEFAULT '',
    d7          text     COLLATE "C" NOT NULL DEFAULT '',
    d8          text     COLLATE "C" NOT NULL DEFAULT '',
    d9          text     COLLATE "C" NOT NULL DEFAULT '',
    d10         text     COLLATE "C" NOT NULL DEFAULT '',
    d11         text     COLLATE "C" NOT NULL DEFAULT '',
    d12         text     COLLATE "C" NOT NULL DEFAULT '',
    bucket      smallint NOT NULL,
    n           bigint   NOT NULL,
    PRIMARY KEY (county_code, cube, counter, period, d1, d2, d3, d4, d5, d6, d7, d8, d9, d10, d11, d12, bucket)
) WITH (fillfactor = 85);
