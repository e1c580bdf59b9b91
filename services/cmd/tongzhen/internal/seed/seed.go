package seed

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
)

// Clients are the services that are filled; the caller's identity is theirs (service cli, or role SYSTEM).
type Clients struct {
	Directory     directoryv1.DirectoryServiceClient
	Roster        directoryv1.RosterServiceClient
	Scheduling    schedulingv1.SchedulingServiceClient
	Calendar      schedulingv1.CalendarServiceClient
	PatientRecord patientrecordv1.PatientRecordServiceClient
}

// Options say what to build. AsOf is the day from which sessions go forwards and records backwards.
type Options struct {
	County   string
	AsOf     time.Time
	Seed     int64
	Password string // of every account that is new
	// Keep adds the organisations and accounts that are missing and leaves those that are there as people left them: a closed place stays closed, who
	// was disabled stays so, and the lists of medicines are as somebody changed them. Otherwise they become again what the seed says.
	Keep bool
}

// DemoAccount is one of the accounts to try the system with.
type DemoAccount struct {
	Login        string
	Name         string
	Organization string
}

// Report tells what was made; what was there already is not counted.
type Report struct {
	County        string // 阳朔县
	Organizations int
	Accounts      int
	Rosters       int
	Medicines     int // of all lists together
	Slots         int
	Beds          int
	Patients      int
	// Changed counts organisations, accounts, medicines and capabilities that were there and differed.
	Changed      int
	DemoAccounts []DemoAccount
}

// Sizes of one call, so that each ends well within its time on a slow disk.
const (
	organizationsPerCall = 20
	accountsPerCall      = 5 // hashing passwords is slow on purpose
	medicinesPerCall     = 250
	capabilitiesPerCall  = 50
	wardsPerCall         = 40
	callTimeout          = time.Minute
)

// step is one call. It adds to the report.
type step struct {
	what string
	call func(ctx context.Context, report *Report) error
}

// County builds the county, and completes what an earlier run left unfinished. progress is called before the first
// call and after each, with how many calls are done and what the last one made. It ends at the first call that fails.
func County(ctx context.Context, c Clients, opt Options, progress func(done, total int, what string)) (Report, error) {
	return Whole(ctx, c, opt, Watch{Progress: progress, Again: func(error, time.Duration) bool { return false }})
}

// Watch is told how building a county goes on.
type Watch struct {
	Progress func(done, total int, what string)
	// Again is told why a call failed and after how long it is made again; false gives up.
	Again func(err error, after time.Duration) bool
}

// How long a call that failed waits before it is made again: it doubles from the first to the longest.
const (
	firstWait   = time.Second
	longestWait = 30 * time.Second
)

// Whole is County that does not end at a call that fails: it makes the call again until it succeeds or ctx ends. What is there stays as it is,
// so that on a machine that is too slow at the moment the county becomes whole a little later. What is wrong with opt is told at once.
func Whole(ctx context.Context, c Clients, opt Options, watch Watch) (Report, error) {
	if opt.AsOf.IsZero() || opt.Password == "" {
		return Report{}, errors.New("seed county: a day and a password are needed")
	}
	p, err := findCounty(opt.County)
	if err != nil {
		return Report{}, err
	}
	ctx = rpc.WithCounty(ctx, p.code)
	accounts := p.accounts(opt)
	medicines, err := p.medicineSteps(c.Directory, opt.Keep)
	if err != nil {
		return Report{}, err
	}
	var steps []step
	steps = append(steps, p.organizationSteps(c.Directory, opt.Keep)...)
	steps = append(steps, p.accountSteps(c.Directory, accounts, opt.Keep)...)
	steps = append(steps, p.rosterSteps(c.Roster, accounts)...)
	steps = append(steps, medicines...)
	steps = append(steps, p.capacitySteps(c)...)
	steps = append(steps, p.planSteps(c.Calendar, opt.AsOf, accounts)...)
	steps = append(steps, p.patientSteps(c.PatientRecord, opt.AsOf)...)
	report := Report{County: p.name}
	watch.Progress(0, len(steps), "")
	for i, s := range steps {
		call := func(ctx context.Context) error {
			if err := run(ctx, s, &report); err != nil {
				return fmt.Errorf("seed %s: %w", s.what, err)
			}
			return nil
		}
		if err := Insist(ctx, call, watch.Again); err != nil {
			return report, err
		}
		watch.Progress(i+1, len(steps), s.what)
	}
	report.DemoAccounts = p.demoAccounts(accounts)
	return report, nil
}

// Patient is an Again for who waits for a system that is just starting: for what is away, and for most in all. say is told each time.
func Patient(most time.Duration, say func(err error, after time.Duration)) func(error, time.Duration) bool {
	var waited time.Duration
	return func(err error, after time.Duration) bool {
		if errs.KindOf(err) != errs.KindUnavailable || waited+after > most {
			return false
		}
		waited += after
		say(err, after)
		return true
	}
}

// Insist makes a call until it succeeds, again gives up, or ctx ends.
func Insist(ctx context.Context, call func(context.Context) error, again func(error, time.Duration) bool) error {
	for wait := firstWait; ; wait = min(2*wait, longestWait) {
		err := call(ctx)
		if err == nil || ctx.Err() != nil || !again(err, wait) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
	}
}

func run(ctx context.Context, s step, report *Report) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return s.call(ctx, report)
}

func (p place) organizationSteps(client directoryv1.DirectoryServiceClient, keep bool) []step {
	var out []step
	for chunk := range slices.Chunk(p.organizations(), organizationsPerCall) {
		out = append(out, step{"organisations", func(ctx context.Context, report *Report) error {
			if keep {
				missing, err := p.missingOrganizations(ctx, client, chunk)
				if err != nil || len(missing) == 0 {
					return err
				}
				chunk = missing
			}
			r, err := client.ImportOrganizations(ctx, &directoryv1.ImportOrganizationsRequest{
				County: p.code, CountyName: p.name, Organizations: chunk,
			})
			report.Organizations += int(r.GetCreated())
			report.Changed += int(r.GetUpdated())
			return err
		}})
	}
	return out
}

func (p place) accountSteps(client directoryv1.DirectoryServiceClient, accounts []*directoryv1.AccountEntry, keep bool) []step {
	var out []step
	for chunk := range slices.Chunk(accounts, accountsPerCall) {
		out = append(out, step{"accounts", func(ctx context.Context, report *Report) error {
			if keep {
				missing, err := p.missingAccounts(ctx, client, chunk)
				if err != nil || len(missing) == 0 {
					return err
				}
				chunk = missing
			}
			r, err := client.ImportAccounts(ctx, &directoryv1.ImportAccountsRequest{County: p.code, Accounts: chunk})
			report.Accounts += int(r.GetCreated())
			report.Changed += int(r.GetUpdated())
			return err
		}})
	}
	return out
}

func (p place) capacitySteps(c Clients) []step {
	var out []step
	for chunk := range slices.Chunk(p.wards(), wardsPerCall) {
		out = append(out, step{"beds", func(ctx context.Context, report *Report) error {
			r, err := c.Scheduling.CreateSchedules(ctx, &schedulingv1.CreateSchedulesRequest{County: p.code, Wards: chunk})
			report.Beds += int(r.GetBedsCreated())
			return err
		}})
	}
	return out
}

// planSteps add what is not there; what is, whoever changed it, stays. They ask first: a refusal would be a warning in the log for each.
func (p place) planSteps(client schedulingv1.CalendarServiceClient, asOf time.Time, accounts []*directoryv1.AccountEntry) []step {
	var out []step
	there := planned{client, map[string]map[string]bool{}}
	for _, e := range p.equipment() {
		out = append(out, step{"equipment", func(ctx context.Context, _ *Report) error {
			if has, err := there.has(ctx, e.GetOrganizationId(), e.GetId()); err != nil || has {
				return err
			}
			_, err := client.SaveEquipment(ctx, &schedulingv1.SaveEquipmentRequest{County: p.code, Equipment: e})
			return unlessThere(err)
		}})
	}
	for _, t := range p.plans(asOf, accounts) {
		out = append(out, step{"sessions", func(ctx context.Context, report *Report) error {
			if has, err := there.has(ctx, t.GetOrganizationId(), t.GetId()); err != nil || has {
				return err
			}
			r, err := client.SaveTemplate(ctx, &schedulingv1.SaveTemplateRequest{County: p.code, Template: t.Template})
			report.Slots += int(r.GetMade()) * t.slots
			return unlessThere(err)
		}})
	}
	return out
}

// unlessThere is nil for what could not be added because it is there.
func unlessThere(err error) error {
	if errs.ReasonOf(err) == errs.ReasonStaleVersion {
		return nil
	}
	return err
}

func (p place) patientSteps(client patientrecordv1.PatientRecordServiceClient, asOf time.Time) []step {
	var out []step
	for _, request := range p.patients(asOf) {
		out = append(out, step{"patients", func(ctx context.Context, report *Report) error {
			r, err := client.ImportRecord(ctx, request)
			if r.GetPatientCreated() {
				report.Patients++
			}
			return err
		}})
	}
	return out
}

// demoAccounts with the names that they were given.
func (p place) demoAccounts(accounts []*directoryv1.AccountEntry) []DemoAccount {
	organizations := map[string]string{}
	for _, e := range p.organizations() {
		organizations[e.GetOrganization().GetCode()] = e.GetOrganization().GetName()
	}
	var out []DemoAccount
	for i, who := range p.people() {
		if who.demo {
			out = append(out, DemoAccount{who.login, accounts[i].GetAccount().GetName(), organizations[who.organization]})
		}
	}
	return out
}
