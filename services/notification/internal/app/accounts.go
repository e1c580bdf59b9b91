package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// OnAccount keeps the projection up to date, once for each fact.
func (a *App) OnAccount(ctx context.Context, consumer, factID string, account domain.Account) error {
	cmd := Command{Caller: Caller{County: account.County, AccountID: Self}, Consumer: consumer, FactID: factID}
	return a.store.SaveAccounts(ctx, cmd, []domain.Account{account})
}

// OnRoster keeps the copy of duty rosters up to date, once for each fact.
func (a *App) OnRoster(ctx context.Context, consumer, factID, county string, r Roster) error {
	cmd := Command{Caller: Caller{County: county, AccountID: Self}, Consumer: consumer, FactID: factID}
	return a.store.SaveRosters(ctx, cmd, []Roster{r})
}

// ReadAccounts reads all accounts and rosters of a county from the directory, unless that was done since the instant given.
func (a *App) ReadAccounts(ctx context.Context, county string, since time.Time) error {
	a.reading.Lock()
	defer a.reading.Unlock()
	read, err := a.store.ReadTime(ctx, county)
	if err != nil || !read.IsZero() && !read.Before(since) {
		return err
	}
	began := a.clk.Now()
	accounts, err := a.directory.Accounts(ctx, county)
	if err != nil {
		return fmt.Errorf("list accounts of the directory: %w", err)
	}
	if err := a.store.SaveAccounts(ctx, Command{Caller: Caller{County: county, AccountID: Self}}, accounts); err != nil {
		return err
	}
	rosters, err := a.directory.Rosters(ctx, county)
	if err != nil {
		return fmt.Errorf("list rosters of the directory: %w", err)
	}
	if err := a.store.SaveRosters(ctx, Command{Caller: Caller{County: county, AccountID: Self}}, rosters); err != nil {
		return err
	}
	a.logger.InfoContext(ctx, "accounts were read", slog.String("county", county), slog.Int("count", len(accounts)))
	// A fact that occurred while the first page was under way still counts as before.
	return a.store.SaveRead(ctx, county, began)
}

// ReadKnown reads the accounts of every county that anything is known of; all are tried.
func (a *App) ReadKnown(ctx context.Context) error {
	counties, err := a.store.Counties(ctx)
	if err != nil {
		return err
	}
	var failed []error
	for _, county := range counties {
		failed = append(failed, a.ReadAccounts(ctx, county, a.clk.Now()))
	}
	return errors.Join(failed...)
}
