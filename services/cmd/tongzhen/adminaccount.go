package main

import (
	"context"
	"errors"
	"fmt"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/host"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

type adminAccountCommand struct {
	Add     accountAddCommand     `cmd:"" help:"Add an account, also the first administrator's, and print its one-time password."`
	Disable accountDisableCommand `cmd:"" help:"Disable an account and end its sessions."`
	Enable  accountEnableCommand  `cmd:"" help:"Enable an account that was disabled; its password is the one it had."`
	Reset   accountResetCommand   `cmd:"" help:"Give an account a one-time password, print it, and end its sessions."`
}

type accountAddCommand struct {
	County       string   `required:"" help:"County code, e.g. 450321."`
	Name         string   `required:"" help:"The person's name."`
	Organization string   `required:"" help:"Code of the organisation."`
	Department   string   `help:"Code of the department."`
	Role         []string `required:"" help:"Role, e.g. COUNTY_ADMIN; repeat it for several."`
	Phone        string   `help:"Telephone."`
	Email        string   `help:"E-mail."`
	Account      string   `arg:"" help:"What the person signs in with."`
}

// Run adds the account. The password stands on this terminal and nowhere else.
func (c *accountAddCommand) Run(ctx context.Context, settings *host.Settings) error {
	account := &directoryv1.Account{Login: c.Account, Name: c.Name, DepartmentCode: c.Department, Phone: c.Phone, Email: c.Email}
	for _, word := range c.Role {
		role, known := commonv1.Role_Code_value[word]
		if !known || role == 0 {
			return fmt.Errorf("there is no role %q", word)
		}
		account.Roles = append(account.Roles, commonv1.Role_Code(role))
	}
	return withAccounts(ctx, settings, c.County, func(connection *host.Connection, accounts directoryv1.AccountServiceClient) (err error) {
		_, account.OrganizationId, err = organizations(ctx, directoryv1.NewDirectoryServiceClient(connection.Conn(host.Directory)), c.County, c.Organization)
		if err != nil {
			return err
		}
		made, err := accounts.CreateAccount(ctx, &directoryv1.CreateAccountRequest{County: c.County, Account: account, RequestId: id.New()})
		if err != nil {
			return fmt.Errorf("add account %s: %w", c.Account, err)
		}
		printIssued(made)
		return nil
	})
}

// slipTime is how a time stands on what is handed to people, with its zone.
const slipTime = "2006-01-02 15:04 -07:00"

func printIssued(made *directoryv1.IssuedAccount) {
	fmt.Printf("account %s, one-time password %s\nIt is shown here, once, signs in until %s and has to be changed then.\n",
		made.GetAccount().GetLogin(), made.GetOneTimePassword(), made.GetOneTimePasswordExpireTime().AsTime().Local().Format(slipTime))
}

type accountDisableCommand struct {
	County  string `required:"" help:"County code, e.g. 450321."`
	Account string `arg:"" help:"What the person signs in with."`
}

// Run disables the account.
func (c *accountDisableCommand) Run(ctx context.Context, settings *host.Settings) error {
	return withAccounts(ctx, settings, c.County, func(_ *host.Connection, accounts directoryv1.AccountServiceClient) error {
		one, err := accountNamed(ctx, accounts, c.County, c.Account)
		if err != nil {
			return err
		}
		if _, err := accounts.DisableAccount(ctx, switching(c.County, one)); err != nil {
			return fmt.Errorf("disable account %s: %w", c.Account, err)
		}
		fmt.Printf("account %s is disabled\n", c.Account)
		for _, p := range one.GetPosts() {
			fmt.Printf("still on the duty roster of organisation %s, post %q: put somebody else there\n", p.GetOrganizationId(), p.GetDepartmentCode())
		}
		return nil
	})
}

type accountEnableCommand struct {
	County  string `required:"" help:"County code, e.g. 450321."`
	Account string `arg:"" help:"What the person signs in with."`
}

// Run enables the account.
func (c *accountEnableCommand) Run(ctx context.Context, settings *host.Settings) error {
	return withAccounts(ctx, settings, c.County, func(_ *host.Connection, accounts directoryv1.AccountServiceClient) error {
		one, err := accountNamed(ctx, accounts, c.County, c.Account)
		if err != nil {
			return err
		}
		if _, err := accounts.EnableAccount(ctx, switching(c.County, one)); err != nil {
			return fmt.Errorf("enable account %s: %w", c.Account, err)
		}
		fmt.Printf("account %s is enabled\n", c.Account)
		return nil
	})
}

func switching(county string, one *directoryv1.AccountDetail) *directoryv1.SwitchAccountRequest {
	return &directoryv1.SwitchAccountRequest{County: county, Id: one.GetAccount().GetId(), Version: one.GetAccount().GetVersion(), RequestId: id.New()}
}

type accountResetCommand struct {
	County  string `required:"" help:"County code, e.g. 450321."`
	Account string `arg:"" help:"What the person signs in with."`
}

// Run resets the password.
func (c *accountResetCommand) Run(ctx context.Context, settings *host.Settings) error {
	return withAccounts(ctx, settings, c.County, func(_ *host.Connection, accounts directoryv1.AccountServiceClient) error {
		one, err := accountNamed(ctx, accounts, c.County, c.Account)
		if err != nil {
			return err
		}
		made, err := accounts.ResetPassword(ctx, &directoryv1.ResetPasswordRequest{County: c.County, Id: one.GetAccount().GetId(), RequestId: id.New()})
		if err != nil {
			return fmt.Errorf("reset account %s: %w", c.Account, err)
		}
		printIssued(made)
		return nil
	})
}

// accountNamed is the account that signs in with a name.
func accountNamed(ctx context.Context, accounts directoryv1.AccountServiceClient, county, login string) (*directoryv1.AccountDetail, error) {
	for token := ""; ; {
		page, err := accounts.SearchAccounts(ctx, &directoryv1.SearchAccountsRequest{County: county, Query: login, PageSize: 200, PageToken: token})
		if err != nil {
			return nil, fmt.Errorf("look for account %s: %w", login, err)
		}
		for _, one := range page.GetAccounts() {
			if one.GetAccount().GetLogin() == login {
				return accounts.GetAccount(ctx, &directoryv1.GetAccountRequest{County: county, Id: one.GetAccount().GetId()})
			}
		}
		if token = page.GetNextPageToken(); token == "" {
			return nil, fmt.Errorf("county %s has no account %q", county, login)
		}
	}
}

func withAccounts(ctx context.Context, settings *host.Settings, county string, do func(*host.Connection, directoryv1.AccountServiceClient) error) (err error) {
	connection, err := host.Connect(ctx, *settings, county)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, connection.Close()) }()
	return do(connection, directoryv1.NewAccountServiceClient(connection.Conn(host.Directory)))
}
