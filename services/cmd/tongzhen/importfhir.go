package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/host"
	"github.com/tongzhen/tongzhen/services/gateway/fhir"
)

type importCommand struct {
	FHIR      importFHIRCommand      `cmd:"" name:"fhir" help:"Import FHIR R4 bundles: patients with their records. Importing again changes nothing."`
	Schedules importSchedulesCommand `cmd:"" help:"Import clinic sessions and schedule templates of an organisation, CSV or iCalendar. Importing again changes nothing."`
	Accounts  importAccountsCommand  `cmd:"" help:"Import accounts from a table, with one-time passwords for new ones. Importing again changes nothing."`
	Formulary importFormularyCommand `cmd:"" help:"Import the medicines of organisations from a table: 机构编码 organization_code, 药名 name, 规格 specification, 库存 stock; ATC编码 atc, 可调配 orderable, 特殊管理 restricted_class, 移出目录 removed. Importing again changes nothing."`

	Organizations importOrganizationsCommand `cmd:"" help:"Import organisations from a table: 机构编码 code, 机构名称 name, 类型 type; 英文名 name_en, 上级机构编码 parent_code, 电话 phone, 地址 address, 停用 closed."`
	Departments   importDepartmentsCommand   `cmd:"" help:"Import departments from a table: 机构编码 organization_code, 科室代码 code, 科室名称 name; 英文名 name_en, 位置 location, 电话 phone, 有床位 has_beds, 停用 closed."`
	Capabilities  importCapabilitiesCommand  `cmd:"" help:"Import what organisations can do from a table: 机构编码 organization_code, 能做的项目 capability; 说明 note. What a table says of one is all that it can do."`
}

type importFHIRCommand struct {
	County       string    `default:"450321" help:"County code."`
	Organization string    `required:"" help:"Code of the organisation that becomes the patients' home."`
	ShiftTo      time.Time `format:"2006-01-02" help:"Move all dates so that the newest is this day."`
	Files        []string  `arg:"" type:"existingfile" help:"Bundles, JSON."`
}

// outcome counts what one run did.
type outcome struct {
	patients, created, updated, unchanged int
	skipped                               map[string]int // resource types that are not kept
	refused                               [][3]string    // file, path, reason
}

// Run imports the files one by one; a file that is refused is named and the others go in.
func (c *importFHIRCommand) Run(ctx context.Context, settings *host.Settings) (err error) {
	connection, err := host.Connect(ctx, *settings, c.County)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, connection.Close()) }()
	byCode, home, err := organizations(ctx, directoryv1.NewDirectoryServiceClient(connection.Conn(host.Directory)), c.County, c.Organization)
	if err != nil {
		return err
	}
	options := fhir.Options{Organization: home, Organizations: byCode}
	if !c.ShiftTo.IsZero() {
		options.ShiftTo = &c.ShiftTo
	}
	record := patientrecordv1.NewPatientRecordServiceClient(connection.Conn(host.PatientRecord))
	done := outcome{skipped: map[string]int{}}
	bar := newProgress("import")
	for i, file := range c.Files {
		bar.step(i, len(c.Files), file)
		if ferr := c.importFile(ctx, record, options, file, &done); ferr != nil {
			done.refused = append(done.refused, refusal(file, ferr))
		}
		if ctx.Err() != nil {
			break
		}
	}
	bar.step(len(c.Files), len(c.Files), "import")
	bar.done()
	return c.report(done)
}

// organizations answers the ids of the organisations in the county by code, and that of the one that is named by code or id.
func organizations(ctx context.Context, directory directoryv1.DirectoryServiceClient, county, named string) (byCode map[string]string, home string, err error) {
	byCode = map[string]string{}
	var known []string
	for token := ""; ; {
		page, err := directory.ListOrganizations(ctx, &directoryv1.ListOrganizationsRequest{PageSize: 200, PageToken: token})
		if err != nil {
			return nil, "", fmt.Errorf("list organisations: %w", err)
		}
		for _, o := range page.GetOrganizations() {
			if o.GetCode() == named || o.GetId() == named {
				home = o.GetId()
			}
			if o.GetType() != directoryv1.OrganizationType_EXTERNAL {
				byCode[o.GetCode()] = o.GetId()
			}
			known = append(known, o.GetCode()+" "+o.GetName())
		}
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	if home == "" {
		return nil, "", fmt.Errorf("no organisation has the code %q in county %s; there are: %s", named, county, strings.Join(known, ", "))
	}
	return byCode, home, nil
}

func (c *importFHIRCommand) importFile(ctx context.Context, record patientrecordv1.PatientRecordServiceClient, options fhir.Options, file string, done *outcome) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	bundle, err := fhir.ParseBundle(f, options)
	if err != nil {
		return err
	}
	for kind, n := range bundle.Other {
		done.skipped[kind] += n
	}
	for _, request := range bundle.Records {
		request.County, request.OrganizationId = c.County, options.Organization
		answer, err := record.ImportRecord(ctx, request)
		if err != nil {
			return err
		}
		done.patients++
		done.created += int(answer.GetCreated())
		done.updated += int(answer.GetUpdated())
		done.unchanged += int(answer.GetUnchanged())
	}
	return nil
}

// refusal splits an error into where and why; it never holds what stands in the file.
func refusal(file string, err error) [3]string {
	var problem *fhir.Error
	if errors.As(err, &problem) {
		return [3]string{file, problem.Path, problem.Reason}
	}
	return [3]string{file, "", err.Error()}
}

func (c *importFHIRCommand) report(done outcome) error {
	fmt.Printf("%d patients; entries: %d new, %d changed, %d as before\n", done.patients, done.created, done.updated, done.unchanged)
	if len(done.skipped) > 0 {
		var kinds []string
		for kind, n := range done.skipped {
			kinds = append(kinds, fmt.Sprintf("%s %d", kind, n))
		}
		slices.Sort(kinds)
		fmt.Printf("not kept: %s\n", strings.Join(kinds, ", "))
	}
	if len(done.refused) == 0 {
		return nil
	}
	for _, r := range done.refused {
		fmt.Fprintf(os.Stderr, "refused: %s %s: %s\n", r[0], r[1], r[2])
		if err := writeErrors(r[0], [][]string{{"file", "path", "reason"}, r[:]}); err != nil {
			return err
		}
	}
	return fmt.Errorf("%d of %d files were refused; each has the reason in FILE.errors.csv", len(done.refused), len(c.Files))
}

// writeErrors puts a table beside the file, or here when that folder cannot be written.
func writeErrors(file string, table [][]string) (err error) {
	name := file + ".errors.csv"
	f, err := os.Create(name)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		f, err = os.Create(filepath.Base(name))
	}
	if err != nil {
		return fmt.Errorf("write errors of %s: %w", file, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return csv.NewWriter(f).WriteAll(table)
}
