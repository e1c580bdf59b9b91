package gateway

import (
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/accounts"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// keptAccountPages are those on which the county's accounts are looked after.
func keptAccountPages(mux shell.Mux, cfg Config, deps Deps, sh *shell.Shell) error {
	pages, err := accounts.New(accounts.Deps{Shell: sh, Accounts: directoryv1.NewAccountServiceClient(deps.Conns.Directory), Secure: cfg.Secure})
	if err != nil {
		return err
	}
	pages.Routes(mux)
	return nil
}
