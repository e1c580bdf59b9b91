-- +goose Up
-- What was not folded yet. Days are numbers, 20260318, and the columns d1 to d12 are the service's dimensions by their
-- place in its schema; the meaning is in doc.go.
--
-- The key is the only index: writing must stay cheap, and the table is short. It gives the folder its order, old batches
-- first, and finds a county's rows for a reader.
CREATE TABLE statistics_delta (
    county_code text     NOT NULL,
    batch_id    text     NOT NULL,
    line        integer  NOT NULL,
    counter     text     NOT NULL,
    day         integer  NOT NULL,
    bucket      smallint NOT NULL,
    n           bigint   NOT NULL,
    d1          text     NOT NULL DEFAULT '',
    d2          text     NOT NULL DEFAULT '',
    d3          text     NOT NULL DEFAULT '',
    d4          text     NOT NULL DEFAULT '',
    d5          text     NOT NULL DEFAULT '',
    d6          text     NOT NULL DEFAULT '',
    d7          text     NOT NULL DEFAULT '',
    d8          text     NOT NULL DEFAULT '',
    d9          text     NOT NULL DEFAULT '',
    d10         text     NOT NULL DEFAULT '',
    d11         text     NOT NULL DEFAULT '',
    d12         text     NOT NULL DEFAULT '',
    PRIMARY KEY (county_code, batch_id, line)
) WITHOUT ROWID;

-- What was folded: one row for each cell of each cube, "M1.4" being months by the first and the fourth dimension.
--
-- The key is the table. County, cube, counter and period lead it because every reader names them: a figure is one range
-- of it for each counter. The dimensions and the bucket make it the cell, which folding looks up to add to.
CREATE TABLE statistics_total (
    county_code text     NOT NULL,
    cube        text     NOT NULL,
    counter     text     NOT NULL,
    period      integer  NOT NULL,
    d1          text     NOT NULL DEFAULT '',
    d2          text     NOT NULL DEFAULT '',
    d3          text     NOT NULL DEFAULT '',
    d4          text     NOT NULL DEFAULT '',
    d5          text     NOT NULL DEFAULT '',
    d6          text     NOT NULL DEFAULT '',
    d7          text     NOT NULL DEFAULT '',
    d8          text     NOT NULL DEFAULT '',
    d9          text     NOT NULL DEFAULT '',
    d10         text     NOT NULL DEFAULT '',
    d11         text     NOT NULL DEFAULT '',
    d12         text     NOT NULL DEFAULT '',
    bucket      smallint NOT NULL,
    n           bigint   NOT NULL,
    PRIMARY KEY (county_code, cube, counter, period, d1, d2, d3, d4, d5, d6, d7, d8, d9, d10, d11, d12, bucket)
) WITHOUT ROWID;
