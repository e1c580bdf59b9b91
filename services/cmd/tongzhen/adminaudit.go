package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/host"
	"github.com/tongzhen/tongzhen/services/internal/audit"
)

type adminAuditCommand struct {
	Verify  auditVerifyCommand  `cmd:"" help:"Check the chains and signatures of the audit records in the databases; exit code 1 if anything is not what was sealed."`
	Export  auditExportCommand  `cmd:"" help:"Write audit entries of a county to a file. The export is itself recorded."`
	Archive auditArchiveCommand `cmd:"" help:"Take audit entries that are older than they must be kept out of the databases into signed files, which verify reads. What cannot be read back stays."`
}

type auditVerifyCommand struct {
	Service []string `help:"Services to check; all unless named."`
	Archive []string `help:"Archives to check as well; the services' databases must know them." type:"existingfile"`
	Head    string   `help:"File with signed heads from outside of the databases: the one of TONGZHEN_AUDIT_HEAD_FILE, or a log. Finds a record whose end was cut off." type:"existingfile"`
}

// errTampered says that an audit record is not what was sealed.
var errTampered = errors.New("the audit record is not what was sealed; keep the databases and the log as they are and tell the security administrator")

// Run checks and changes nothing; people may go on working.
func (c *auditVerifyCommand) Run(ctx context.Context, settings *host.Settings) error {
	heads, err := c.heads()
	if err != nil {
		return err
	}
	bar := newProgress("audit")
	check := host.AuditCheck{Services: c.Service, Heads: heads, Progress: func(service, county string, checked, end int64) {
		bar.step(int(checked), int(end), service+" "+county)
	}}
	if len(check.Services) == 0 {
		check.Services = host.Backends()
	}
	reports, err := host.VerifyAudit(ctx, *settings, check)
	bar.done()
	if err != nil {
		return err
	}
	ok := true
	for _, service := range check.Services {
		report := reports[service]
		for _, county := range report.Counties {
			printCounty(service, county)
		}
		ok = ok && report.OK()
	}
	whole, err := c.archives(ctx, *settings, heads)
	if err != nil {
		return err
	}
	if !ok || !whole {
		return errTampered
	}
	return nil
}

// archives checks the named archives.
func (c *auditVerifyCommand) archives(ctx context.Context, settings host.Settings, heads map[string][]audit.Head) (whole bool, err error) {
	whole = true
	for _, path := range c.Archive {
		a, problems, err := host.VerifyArchive(ctx, settings, path, heads)
		if err != nil {
			return false, fmt.Errorf("%s: %w", path, err)
		}
		fmt.Printf("%s: %s %s, numbers %d to %d", path, a.Service, a.County, a.FromSeq+1, a.ToSeq)
		printProblems(a.Service, a.County, problems)
		whole = whole && len(problems) == 0
	}
	return whole, nil
}

func (c *auditVerifyCommand) heads() (map[string][]audit.Head, error) {
	if c.Head == "" {
		return nil, nil
	}
	file, err := os.Open(c.Head)
	if err != nil {
		return nil, fmt.Errorf("read heads: %w", err)
	}
	defer func() { _ = file.Close() }()
	heads, err := audit.ReadHeads(file)
	if err != nil {
		return nil, err
	}
	if len(heads) == 0 {
		return nil, fmt.Errorf("%s holds no signed head", c.Head)
	}
	for service := range heads {
		if !slices.Contains(host.Backends(), service) {
			return nil, fmt.Errorf("%s holds a head of %q, which is no service", c.Head, service)
		}
	}
	return heads, nil
}

func printCounty(service string, c audit.CountyReport) {
	signed := "never signed"
	if !c.SignTime.IsZero() {
		signed = fmt.Sprintf("signed up to %d at %s", c.Signed, c.SignTime.UTC().Format(time.RFC3339))
	}
	fmt.Printf("%s %s: %d sealed, %s, %d not sealed yet", service, c.County, c.Sealed, signed, c.Unsealed)
	if !c.OldestUnsealed.IsZero() {
		fmt.Printf(" (oldest %s)", c.OldestUnsealed.UTC().Format(time.RFC3339))
	}
	if c.Late > 0 {
		fmt.Printf(", %d entries say they are older than ones sealed before them", c.Late)
	}
	if c.Archived > 0 {
		fmt.Printf(", archived up to %d in the file whose lines hash to %x", c.Archived, c.ArchiveFile[:8])
	}
	printProblems(service, c.County, c.Problems)
}

// printProblems ends a line about a chain.
func printProblems(service, county string, problems []audit.Problem) {
	if len(problems) == 0 {
		fmt.Println(": whole")
		return
	}
	fmt.Println()
	for _, p := range problems {
		fmt.Printf("%s %s: number %d: %s", service, county, p.Seq, problemText(p.Kind))
		if p.ID != "" {
			fmt.Printf(" (entry %s)", p.ID)
		}
		fmt.Println()
	}
}

func problemText(kind string) string {
	return map[string]string{
		audit.ProblemMissing: "MISSING, no entry has this number", audit.ProblemChanged: "CHANGED, the entry or its hash is not what was sealed",
		audit.ProblemEnd: "END, the entries end elsewhere than the chain", audit.ProblemHead: "HEAD, a signed head says something else than the chain",
		audit.ProblemSignature: "SIGNATURE, a head's signature is wrong or its key unknown", audit.ProblemLost: "LOST, a signed head is beyond the end of the chain",
	}[kind]
}
