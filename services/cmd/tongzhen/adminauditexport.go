package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/host"
	"github.com/tongzhen/tongzhen/services/gateway/sheets"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

type auditExportCommand struct {
	County  string    `required:"" help:"County code, e.g. 450321."`
	From    time.Time `required:"" format:"2006-01-02" help:"First day, YYYY-MM-DD (days begin at midnight UTC+8)."`
	To      time.Time `required:"" format:"2006-01-02" help:"Day after the last one."`
	Service []string  `help:"Services to export; all unless named."`
	Format  string    `default:"jsonl" enum:"jsonl,csv" help:"jsonl or csv."`
	File    string    `arg:"" help:"File to write, mode 0600; one that exists is not replaced." type:"path"`
}

// Validate is called when the command line was read.
func (c *auditExportCommand) Validate() error {
	if !c.From.Before(c.To) {
		return errors.New("--to must be after --from")
	}
	return nil
}

// Run writes the newest entries first, service by service.
func (c *auditExportCommand) Run(ctx context.Context, settings *host.Settings) (err error) {
	services := c.Service
	if len(services) == 0 {
		services = host.Backends()
	}
	connection, err := host.Connect(ctx, *settings, c.County)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, connection.Close()) }()
	file, err := os.OpenFile(c.File, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists; name another file or move it away", c.File)
	} else if err != nil {
		return fmt.Errorf("write export: %w", err)
	}
	defer func() {
		if err = errors.Join(err, file.Close()); err != nil {
			// Half an export looks like a whole one.
			err = errors.Join(err, os.Remove(c.File))
		}
	}()
	digest := sha256.New()
	out := bufio.NewWriter(io.MultiWriter(file, digest))
	write, flush := entryWriter(out, c.Format)
	bar, n := newProgress("export"), 0
	defer bar.done()
	for _, service := range services {
		conn := connection.Conn(service)
		if conn == nil {
			return fmt.Errorf("unknown service %q", service)
		}
		err := c.each(ctx, commonv1.NewAuditServiceClient(conn), func(e *commonv1.AuditEntry) error {
			e.Service = service
			n++
			bar.step(n, -1, service)
			return write(e)
		})
		if err != nil {
			return fmt.Errorf("%s: %w", service, err)
		}
	}
	if err := errors.Join(flush(), out.Flush(), file.Sync()); err != nil {
		return fmt.Errorf("write export: %w", err)
	}
	_, err = patientrecordv1.NewExportServiceClient(connection.Conn(host.PatientRecord)).RecordExport(ctx, &patientrecordv1.RecordExportRequest{
		RequestId: id.New(), Kind: "AUDIT", Form: strings.ToUpper(c.Format), Entries: int32(n), Digest: digest.Sum(nil),
	})
	if err != nil {
		return fmt.Errorf("write the ledger of exports: %w", err)
	}
	fmt.Printf("%d entries written to %s\n", n, c.File)
	return nil
}

// beijing is the zone of every county of China.
func beijing(day time.Time) *timestamppb.Timestamp {
	return timestamppb.New(time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, time.FixedZone("UTC+8", 8*60*60)))
}

func (c *auditExportCommand) each(ctx context.Context, client commonv1.AuditServiceClient, do func(*commonv1.AuditEntry) error) error {
	ask := &commonv1.SearchAuditRequest{From: beijing(c.From), To: beijing(c.To), PageSize: 200, Export: true}
	for {
		page, err := client.SearchAudit(ctx, ask)
		if err != nil {
			return err
		}
		for _, e := range page.GetEntries() {
			if err := do(e); err != nil {
				return err
			}
		}
		if ask.PageToken = page.GetNextPageToken(); ask.PageToken == "" {
			return nil
		}
	}
}

// entryColumns are those of both formats.
func entryColumns() []string {
	return []string{"service", "county_seq", "id", "time", "account_id", "organization_id", "action", "object_type", "object_id", "patient_id", "detail"}
}

func entryValues(e *commonv1.AuditEntry) []string {
	return []string{
		e.GetService(), strconv.FormatInt(e.GetSeq(), 10), e.GetId(), e.GetTime().AsTime().Format(time.RFC3339Nano), e.GetAccountId(), e.GetOrganizationId(),
		e.GetAction(), e.GetObjectType(), e.GetObjectId(), e.GetPatientId(), e.GetDetail(),
	}
}

func entryWriter(w io.Writer, format string) (write func(*commonv1.AuditEntry) error, flush func() error) {
	if format == "csv" {
		out := csv.NewWriter(w)
		first := true
		return func(e *commonv1.AuditEntry) error {
				if first {
					first = false
					if err := out.Write(entryColumns()); err != nil {
						return err
					}
				}
				cells := entryValues(e)
				for i := range cells {
					cells[i] = sheets.Plain(cells[i])
				}
				return out.Write(cells)
			}, func() error {
				out.Flush()
				return out.Error()
			}
	}
	out := json.NewEncoder(w)
	return func(e *commonv1.AuditEntry) error {
		line := map[string]string{}
		for i, column := range entryColumns() {
			line[column] = entryValues(e)[i]
		}
		return out.Encode(line)
	}, func() error { return nil }
}
