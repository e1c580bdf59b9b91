package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/host"
)

// tableCommand is what the commands that read a table of the directory have in common. They do what the pages of the settings do.
type tableCommand struct {
	County string `default:"450321" help:"County code."`
	DryRun bool   `help:"Say what would be imported and write nothing."`
	File   string `arg:"" type:"existingfile" help:"CSV with a header, Chinese or English, UTF-8 or GB18030."`
}

type importOrganizationsCommand struct{ tableCommand }

// Run imports organisations.
func (c *importOrganizationsCommand) Run(ctx context.Context, settings *host.Settings) error {
	return c.run(ctx, settings, directoryv1.PlaceTable_ORGANIZATIONS)
}

type importDepartmentsCommand struct{ tableCommand }

// Run imports departments.
func (c *importDepartmentsCommand) Run(ctx context.Context, settings *host.Settings) error {
	return c.run(ctx, settings, directoryv1.PlaceTable_DEPARTMENTS)
}

type importCapabilitiesCommand struct{ tableCommand }

// Run imports capabilities.
func (c *importCapabilitiesCommand) Run(ctx context.Context, settings *host.Settings) error {
	return c.run(ctx, settings, directoryv1.PlaceTable_CAPABILITIES)
}

type importFormularyCommand struct{ tableCommand }

// Run imports medicines.
func (c *importFormularyCommand) Run(ctx context.Context, settings *host.Settings) error {
	return c.run(ctx, settings, directoryv1.PlaceTable_FORMULARY)
}

// tableBytes is the most that one file may have.
const tableBytes = 1 << 20

// run imports the rows of the file; those that are refused are named and the others go in.
func (c *tableCommand) run(ctx context.Context, settings *host.Settings, table directoryv1.PlaceTable_Code) (err error) {
	info, err := os.Stat(c.File)
	if err != nil {
		return err
	}
	if info.Size() > tableBytes || info.Size() == 0 {
		return fmt.Errorf("%s has %d bytes; at most %d are imported at once, so split it", c.File, info.Size(), tableBytes)
	}
	content, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	connection, err := host.Connect(ctx, *settings, c.County)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, connection.Close()) }()
	bar := newProgress("import")
	bar.step(0, 1, c.File)
	done, err := directoryv1.NewPlaceServiceClient(connection.Conn(host.Directory)).ImportTable(ctx, &directoryv1.ImportTableRequest{
		County: c.County, Table: table, Content: content, DryRun: c.DryRun,
	})
	if err != nil {
		return fmt.Errorf("import %s: %w", c.File, err)
	}
	bar.step(1, 1, "import")
	bar.done()
	return c.report(done)
}

func (c *tableCommand) report(done *directoryv1.ImportTableResponse) error {
	would := ""
	if c.DryRun {
		would = "would be "
	}
	fmt.Printf("%s%d new, %d changed, %d as before\n", would, done.GetCreated(), done.GetUpdated(), done.GetUnchanged())
	if len(done.GetProblems()) == 0 {
		return nil
	}
	table := [][]string{{"line", "field", "reason"}}
	lines := map[int32]bool{}
	for _, p := range done.GetProblems() {
		reason := p.GetReason()
		if p.GetFirst() > 0 {
			reason += " of line " + strconv.Itoa(int(p.GetFirst()))
		}
		table = append(table, []string{strconv.Itoa(int(p.GetLine())), p.GetField(), reason})
		lines[p.GetLine()] = true
	}
	if err := writeErrors(c.File, table); err != nil {
		return err
	}
	return fmt.Errorf("%d lines were refused; %s.errors.csv has the reasons", len(lines), c.File)
}
