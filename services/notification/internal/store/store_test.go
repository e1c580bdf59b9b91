package store_test

import (
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/notification/internal/events"
	"github.com/tongzhen/tongzhen/services/notification/internal/store"
	"github.com/tongzhen/tongzhen/services/notification/internal/store/storetest"
)

func TestTheStoreKeepsItsContract(t *testing.T) {
	t.Parallel()
	sets := []sqldb.MigrationSet{sqldb.Migrations, outbox.Migrations, audit.Migrations, store.Migrations}
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			storetest.Suite(t, func(t *testing.T) storetest.Opened {
				clk := dbtest.Clock(t)
				db := dbtest.OpenClock(t, engine, clk, sets)
				st, book := store.New(db, crypt.TestRing(), events.Encode, store.Wakes{}), store.NewBook(db, crypt.TestRing())
				return storetest.Opened{Store: st, Deliveries: st, Addresses: book, Links: book, Retention: st, Clock: clk}
			})
		})
	}
}
