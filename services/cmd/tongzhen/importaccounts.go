package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/host"
)

type importAccountsCommand struct {
	County string `default:"450321" help:"County code."`
	DryRun bool   `help:"Say what would be imported and write nothing."`
	File   string `arg:"" type:"existingfile" help:"CSV with a header, Chinese or English: 账号 account, 姓名 name, 机构代码 organization_code, 科室代码 department, 角色 roles, 电话 phone, 邮箱 email, 状态 state; UTF-8 or GB18030. New accounts get one-time passwords, in FILE.slips.csv."`
}

// accountBytes is the most that one file may have.
const accountBytes = 256 << 10

// Run imports the lines that are right; the others are named.
func (c *importAccountsCommand) Run(ctx context.Context, settings *host.Settings) error {
	content, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	if len(content) == 0 || len(content) > accountBytes {
		return fmt.Errorf("%s has %d bytes; at most %d are imported at once, so split it", c.File, len(content), accountBytes)
	}
	if _, err := os.Stat(c.slips()); !c.DryRun && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is there already: hand out its passwords and delete it first", c.slips())
	}
	return withAccounts(ctx, settings, c.County, func(_ *host.Connection, accounts directoryv1.AccountServiceClient) error {
		return c.load(ctx, accounts, content)
	})
}

func (c *importAccountsCommand) slips() string { return c.File + ".slips.csv" }

func (c *importAccountsCommand) load(ctx context.Context, accounts directoryv1.AccountServiceClient, content []byte) error {
	bar := newProgress("import")
	outcomes := map[string]int{}
	slips, wrong := [][]string{{"account", "name", "organization", "one_time_password", "valid_until"}}, [][]string{{"line", "field", "reason"}}
	for from, more := int32(0), true; more; more = from > 0 {
		bar.step(int(from), int(from)+1, c.File)
		part, err := accounts.ImportAccountFile(ctx, &directoryv1.ImportAccountFileRequest{County: c.County, Content: content, DryRun: c.DryRun, Row: from})
		if err != nil {
			// The passwords of the parts before stand nowhere else.
			return errors.Join(fmt.Errorf("import %s from row %d on: %w", c.File, from+1, err), c.writeSlips(slips))
		}
		for _, one := range part.GetAccounts() {
			outcomes[one.GetOutcome()]++
			if a := one.GetAccount(); one.GetOneTimePassword() != "" {
				slips = append(slips, []string{a.GetLogin(), a.GetName(), a.GetOrganizationName(), one.GetOneTimePassword(), one.GetOneTimePasswordExpireTime().AsTime().Local().Format(slipTime)})
			}
		}
		for _, p := range part.GetProblems() {
			wrong = append(wrong, []string{strconv.Itoa(int(p.GetLine())), p.GetField(), p.GetReason()})
		}
		from = part.GetNextRow()
	}
	bar.step(1, 1, "import")
	bar.done()
	would := ""
	if c.DryRun {
		would = " would be"
	}
	fmt.Printf("accounts%s imported: %d new, %d changed, %d as before\n", would, outcomes["CREATED"], outcomes["UPDATED"], outcomes["UNCHANGED"])
	if err := c.writeSlips(slips); err != nil {
		return err
	}
	if len(wrong) == 1 {
		return nil
	}
	slices.SortStableFunc(wrong[1:], func(a, b []string) int { return atoi(a[0]) - atoi(b[0]) })
	if err := writeErrors(c.File, wrong); err != nil {
		return err
	}
	return fmt.Errorf("%d problems; %s.errors.csv has the lines and the reasons", len(wrong)-1, c.File)
}

func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

// writeSlips keeps the passwords for whoever runs the command alone.
func (c *importAccountsCommand) writeSlips(slips [][]string) (err error) {
	if len(slips) == 1 {
		return nil
	}
	f, err := os.OpenFile(c.slips(), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write one-time passwords: %w; reset those of the new accounts with tongzhen admin account reset", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	fmt.Printf("one-time passwords are in %s: hand them out in person, then delete it\n", c.slips())
	return csv.NewWriter(f).WriteAll(slips)
}
