package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/host"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

type importFormularyCommand struct {
	County string `default:"450321" help:"County code."`
	File   string `arg:"" type:"existingfile" help:"CSV, UTF-8, with a header: organization_code, name, specification, atc, stock (IN_STOCK or OUT_OF_STOCK), orderable (true or false), restricted_class."`
}

// rowsPerCall is the most that the directory takes at once.
const rowsPerCall = 500

// medicineRow is one row of the file that can be sent.
type medicineRow struct {
	line  int
	entry *directoryv1.FormularyEntry
}

// rowRefusal says what is wrong with a row; it never holds what stands in the file.
type rowRefusal struct {
	line          int
	field, reason string // field is a column, "" for the whole row
}

// formularyOutcome counts what one run did.
type formularyOutcome struct {
	created, updated, unchanged int
	refused                     []rowRefusal
}

// Run imports the rows of the file; those that are refused are named and the others go in.
func (c *importFormularyCommand) Run(ctx context.Context, settings *host.Settings) (err error) {
	var done formularyOutcome
	rows, err := c.read(&done)
	if err != nil {
		return fmt.Errorf("read %s: %w", c.File, err)
	}
	connection, err := host.Connect(ctx, *settings, c.County)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, connection.Close()) }()
	directory := directoryv1.NewDirectoryServiceClient(connection.Conn(host.Directory))
	bar := newProgress("import")
	sent := 0
	for part := range slices.Chunk(rows, rowsPerCall) {
		bar.step(sent, len(rows), c.File)
		if err := c.send(ctx, directory, part, &done); err != nil {
			return fmt.Errorf("import from line %d on: %w", part[0].line, err)
		}
		sent += len(part)
	}
	bar.step(sent, len(rows), "import")
	bar.done()
	return c.report(done)
}

// read answers the rows that can be sent; those that cannot are refused.
func (c *importFormularyCommand) read(done *formularyOutcome) (rows []medicineRow, err error) {
	f, err := os.Open(c.File)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text := bufio.NewReader(f)
	if mark, _ := text.Peek(3); string(mark) == "\ufeff" { // Excel begins UTF-8 with it
		_, _ = text.Discard(len(mark))
	}
	table := csv.NewReader(text)
	places, err := medicineColumns(table)
	if err != nil {
		return nil, err
	}
	lines := map[string]int{} // of the medicines so far
	for {
		record, err := table.Read()
		var broken *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return rows, nil
		case errors.As(err, &broken):
			done.refuse(broken.StartLine, "", broken.Err.Error())
			continue
		case err != nil:
			return nil, err
		}
		line, _ := table.FieldPos(0)
		entry, field, reason := places.entry(record)
		if reason == "" {
			key := strings.Join([]string{entry.GetOrganizationCode(), entry.GetItem().GetName(), entry.GetItem().GetSpecification()}, "\n")
			switch first, twice := lines[key]; {
			case !twice:
				lines[key] = line
			case entry.GetItem().GetName() != "":
				field, reason = "name", "the same medicine as in line "+strconv.Itoa(first)
			}
		}
		if reason != "" {
			done.refuse(line, field, reason)
			continue
		}
		rows = append(rows, medicineRow{line, entry})
	}
}

// columns tells where in a record each column stands.
type columns map[string]int

// medicineColumns reads the header.
func medicineColumns(table *csv.Reader) (columns, error) {
	needed := []string{"organization_code", "name", "specification", "atc", "stock", "orderable", "restricted_class"}
	header, err := table.Read()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	places := columns{}
	for i, name := range header {
		places[strings.TrimSpace(name)] = i
	}
	for _, name := range needed {
		if _, ok := places[name]; !ok {
			return nil, fmt.Errorf("the first line has no column %q; it must name %s", name, strings.Join(needed, ","))
		}
	}
	return places, nil
}

// entry is what the record says, or which column cannot be read and why. What may be said is the directory's business.
func (c columns) entry(record []string) (entry *directoryv1.FormularyEntry, field, reason string) {
	for name, i := range c {
		if record[i] = strings.TrimSpace(record[i]); !utf8.ValidString(record[i]) {
			return nil, name, "not UTF-8"
		}
	}
	item := &directoryv1.FormularyItem{
		Name: record[c["name"]], Specification: record[c["specification"]], Atc: record[c["atc"]],
		RestrictedClass: record[c["restricted_class"]],
	}
	stock, known := directoryv1.StockState_Code_value[record[c["stock"]]]
	if !known && record[c["stock"]] != "" {
		return nil, "stock", errs.ReasonFieldUnknown
	}
	item.Stock = directoryv1.StockState_Code(stock)
	if word := record[c["orderable"]]; word != "" {
		var err error
		if item.Orderable, err = strconv.ParseBool(word); err != nil {
			return nil, "orderable", errs.ReasonFieldInvalid
		}
	}
	return &directoryv1.FormularyEntry{OrganizationCode: record[c["organization_code"]], Item: item}, "", ""
}

// send imports rows. The directory takes all or none and names every row that is wrong: those are left out and the rest
// is sent again, until it is taken.
func (c *importFormularyCommand) send(ctx context.Context, directory directoryv1.DirectoryServiceClient, rows []medicineRow, done *formularyOutcome) error {
	for len(rows) > 0 {
		request := &directoryv1.ImportFormularyRequest{County: c.County}
		for _, r := range rows {
			request.Items = append(request.Items, r.entry)
		}
		answer, err := directory.ImportFormulary(ctx, request)
		if err == nil {
			done.created += int(answer.GetCreated())
			done.updated += int(answer.GetUpdated())
			done.unchanged += int(answer.GetUnchanged())
			return nil
		}
		wrong := map[int]bool{}
		if refused, ok := errs.As(err); ok && refused.Kind == errs.KindInvalid {
			for _, f := range refused.Fields {
				if i, column, ok := placeOf(f.Name); ok && i < len(rows) {
					wrong[i] = true
					done.refuse(rows[i].line, column, f.Reason)
				}
			}
		}
		if len(wrong) == 0 {
			return err
		}
		var rest []medicineRow
		for i, r := range rows {
			if !wrong[i] {
				rest = append(rest, r)
			}
		}
		rows = rest
	}
	return nil
}

// placeOf reads "items[3].item.restrictedClass" as 3 and restricted_class.
func placeOf(field string) (i int, column string, ok bool) {
	number, rest, ok := strings.Cut(strings.TrimPrefix(field, "items["), "]")
	i, err := strconv.Atoi(number)
	if !ok || err != nil || i < 0 {
		return 0, "", false
	}
	var b strings.Builder
	for _, r := range strings.TrimPrefix(strings.TrimPrefix(rest, "."), "item.") {
		if r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return i, b.String(), true
}

func (o *formularyOutcome) refuse(line int, field, reason string) {
	o.refused = append(o.refused, rowRefusal{line, field, reason})
}

func (c *importFormularyCommand) report(done formularyOutcome) error {
	taken := done.created + done.updated + done.unchanged
	fmt.Printf("%d medicines: %d new, %d changed, %d as before\n", taken, done.created, done.updated, done.unchanged)
	if len(done.refused) == 0 {
		return nil
	}
	slices.SortStableFunc(done.refused, func(a, b rowRefusal) int { return a.line - b.line })
	table := [][]string{{"line", "field", "reason"}}
	lines := map[int]bool{}
	for _, r := range done.refused {
		table = append(table, []string{strconv.Itoa(r.line), r.field, r.reason})
		lines[r.line] = true
	}
	if err := writeErrors(c.File, table); err != nil {
		return err
	}
	return fmt.Errorf("%d of %d rows were refused; %s.errors.csv has the reasons", len(lines), len(lines)+taken, c.File)
}
