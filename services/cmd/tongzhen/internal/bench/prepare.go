package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

const (
	// patientsPerDoctor take turns: a patient is sent again once the last referral is closed.
	patientsPerDoctor = 20
	// expectedPerSecond sizes the sessions of a run that ends by time; when more are needed, walk-in windows take their place.
	expectedPerSecond = 300
	slotsPerSession   = 288
	sessionsPerCall   = 20
)

// place is the county as the run found it.
type place struct {
	hospital   *directoryv1.Organization
	department *directoryv1.Department
	accounts   []*directoryv1.Account
}

// prepare finds the county, signs everybody in, registers patients and opens sessions.
func (r *runner) prepare(ctx context.Context) error {
	if err := r.findPlace(ctx); err != nil {
		return err
	}
	if err := r.signInAll(ctx); err != nil {
		return err
	}
	if err := r.register(ctx); err != nil {
		return err
	}
	if r.options.OnlyCreate {
		return nil
	}
	return r.openSlots(ctx)
}

func (r *runner) findPlace(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	organizations, err := r.Directory.ListOrganizations(ctx, &directoryv1.ListOrganizationsRequest{
		Type: directoryv1.OrganizationType_COUNTY_HOSPITAL, PageSize: 1,
	})
	if err != nil {
		return fmt.Errorf("find the county hospital: %w", err)
	}
	if len(organizations.GetOrganizations()) == 0 {
		return fmt.Errorf("county %s has no hospital: run `tongzhen seed --county %s` first", r.options.County, r.options.County)
	}
	r.place.hospital = organizations.GetOrganizations()[0]
	departments, err := r.Directory.ListDepartments(ctx, &directoryv1.ListDepartmentsRequest{OrganizationId: r.place.hospital.GetId()})
	if err != nil {
		return fmt.Errorf("find the departments: %w", err)
	}
	// 20 is the emergency department, which has no clinic.
	i := slices.IndexFunc(departments.GetDepartments(), func(d *directoryv1.Department) bool { return d.GetHasBeds() && d.GetCode() != "20" })
	if i < 0 {
		return fmt.Errorf("%s has no department with beds", r.place.hospital.GetName())
	}
	r.place.department = departments.GetDepartments()[i]
	for token := ""; ; {
		page, err := r.Directory.ListAccounts(ctx, &directoryv1.ListAccountsRequest{PageSize: 200, PageToken: token})
		if err != nil {
			return fmt.Errorf("find the accounts: %w", err)
		}
		r.place.accounts = append(r.place.accounts, page.GetAccounts()...)
		if token = page.GetNextPageToken(); token == "" {
			return nil
		}
	}
}

// holding are the accounts in use that have a role.
func (p place) holding(role commonv1.Role_Code) []*directoryv1.Account {
	var out []*directoryv1.Account
	for _, a := range p.accounts {
		if !a.GetDisabled() && slices.Contains(a.GetRoles(), role) {
			out = append(out, a)
		}
	}
	return out
}

// desks are the accounts of the hospital's intake desk.
func (p place) desks() []*directoryv1.Account {
	return slices.DeleteFunc(p.holding(commonv1.Role_INTAKE_DESK), func(a *directoryv1.Account) bool {
		return a.GetOrganizationId() != p.hospital.GetId()
	})
}

// signInAll signs in the desk first: where that fails nobody else is tried.
func (r *runner) signInAll(ctx context.Context) error {
	desks, err := r.signInSome(ctx, r.place.desks(), r.options.Desks)
	if err != nil {
		return err
	}
	doctors, err := r.signInSome(ctx, r.place.holding(commonv1.Role_TOWNSHIP_DOCTOR), r.options.Doctors)
	if err != nil {
		return err
	}
	r.desks = desks
	for _, p := range doctors {
		r.doctors = append(r.doctors, &doctor{person: p, back: make(chan *journey, openPerDoctor)})
	}
	return nil
}

// signInSome makes n workers of the accounts in turn; the workers of one account share its session.
func (r *runner) signInSome(ctx context.Context, accounts []*directoryv1.Account, n int) ([]*person, error) {
	if len(accounts) == 0 {
		return nil, fmt.Errorf("county %s has no accounts of township doctors or of the intake desk: run `tongzhen seed --county %s` first",
			r.options.County, r.options.County)
	}
	var people []*person
	for i := range n {
		if i >= len(accounts) {
			people = append(people, people[i%len(accounts)])
			continue
		}
		p, err := r.signIn(ctx, accounts[i])
		if err != nil {
			return nil, err
		}
		people = append(people, p)
	}
	return people, nil
}

// register gives every doctor patients of their own: a few who take turns; or for creates, which use them up, as many as
// are needed. Where only time ends the run that is not known: a patient serves two creates and registering one is no
// slower than sending one, so a little more than half of the run's time makes enough.
func (r *runner) register(ctx context.Context) error {
	each, until := patientsPerDoctor, time.Time{}
	switch {
	case r.options.OnlyCreate && r.options.Journeys > 0:
		each = r.options.Journeys/len(kindsAtOnce())/len(r.doctors) + 1
	case r.options.OnlyCreate && r.options.Rate > 0:
		each = int(r.options.Rate*r.options.Duration.Seconds())/len(kindsAtOnce())/len(r.doctors) + 1
	case r.options.OnlyCreate:
		each, until = math.MaxInt, r.options.Clock.Now().Add(r.options.Duration*6/10)
	}
	failed := make([]error, len(r.doctors))
	var done sync.WaitGroup
	for i, d := range r.doctors {
		done.Go(func() {
			for n := 0; n < each && failed[i] == nil && (until.IsZero() || r.options.Clock.Now().Before(until)); n++ {
				failed[i] = r.registerOne(ctx, d, r.inventPatient())
				if i == 0 && until.IsZero() {
					r.progress(n+1, each, "patients of each doctor")
				}
			}
		})
	}
	done.Wait()
	return errors.Join(failed...)
}

func (r *runner) registerOne(ctx context.Context, d *doctor, request *patientrecordv1.RegisterPatientRequest) error {
	patient, err := timed(ctx, r, step{"register", d.person}, func(ctx context.Context) (*patientrecordv1.Patient, error) {
		return r.PatientRecord.RegisterPatient(ctx, request)
	})
	// The same seed again: the patient is there.
	if e, ok := errs.As(err); ok && e.Reason == errs.ReasonAlreadyRegistered {
		d.patients = append(d.patients, e.Meta["patientId"])
		return nil
	}
	if err != nil {
		return fmt.Errorf("register a patient: %w", err)
	}
	d.patients = append(d.patients, patient.GetId())
	return nil
}

// inventPatient has an identity number of a region that begins with 99, which no region does: never a real person's.
func (r *runner) inventPatient() *patientrecordv1.RegisterPatientRequest {
	r.mu.Lock()
	defer r.mu.Unlock()
	surnames, given := []rune("莫黄李陈秦韦覃梁廖蒋唐刘"), []rune("桂秀志建文丽海永春国雪少玉立明晓德凤振雅")
	name := string(surnames[r.random.IntN(len(surnames))]) + string(given[r.random.IntN(len(given))]) + string(given[r.random.IntN(len(given))])
	born := time.Date(1935, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, r.random.IntN(70*365))
	body := fmt.Sprintf("99%04d%s%03d", r.random.IntN(10000), born.Format("20060102"), r.random.IntN(1000))
	return &patientrecordv1.RegisterPatientRequest{
		RequestId: id.New(), Name: name, DocumentType: patientrecordv1.DocumentType_RESIDENT_IDENTITY_CARD,
		// No local number begins with 0.
		IdentityNumber: body + checkCharacter(body), Phone: fmt.Sprintf("07730%07d", r.random.IntN(10_000_000)),
		Address: "压力测试村" + strconv.Itoa(r.random.IntN(500)) + "号", Village: "压力测试村",
	}
}

// checkCharacter is that of GB 11643 (ISO 7064 MOD 11-2) for 17 digits.
func checkCharacter(digits string) string {
	p := 0
	for i := range len(digits) {
		p = (p + int(digits[i]-'0')) * 2 % 11
	}
	return "10X98765432"[p : p+1]
}

// openSlots makes sessions on one of the coming days, as slots open two weeks ahead only, and reads that day's free slots.
func (r *runner) openSlots(ctx context.Context) error {
	needed := r.options.Journeys
	if r.options.Duration > 0 {
		needed = expectedPerSecond * int(r.options.Duration/time.Second+1)
	}
	day := r.options.Clock.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, 2+r.random.IntN(10))
	var sessions []*schedulingv1.Schedule
	for range needed/slotsPerSession + 1 {
		// 08:00 in the county's time.
		sessions = append(sessions, &schedulingv1.Schedule{
			Id: id.New(), OrganizationId: r.place.hospital.GetId(), DepartmentCode: r.place.department.GetCode(), Kind: "CLINIC",
			Start: timestamppb.New(day), End: timestamppb.New(day.Add(slotsPerSession * time.Minute)), SlotMinutes: 1,
		})
	}
	for chunk := range slices.Chunk(sessions, sessionsPerCall) {
		_, err := r.Scheduling.CreateSchedules(ctx, &schedulingv1.CreateSchedulesRequest{County: r.options.County, Schedules: chunk})
		if err != nil {
			return fmt.Errorf("open sessions: %w", err)
		}
	}
	return r.readSlots(ctx, day)
}

func (r *runner) readSlots(ctx context.Context, day time.Time) error {
	ctx, err := r.doctors[0].as(ctx)
	if err != nil {
		return fmt.Errorf("read slots: %w", err)
	}
	for token := ""; ; {
		page, err := r.Scheduling.ListSlots(ctx, &schedulingv1.ListSlotsRequest{
			OrganizationId: r.place.hospital.GetId(), Department: r.place.department.GetCode(), FreeOnly: true,
			From: day.Format(time.DateOnly), To: day.AddDate(0, 0, 1).Format(time.DateOnly), PageSize: 200, PageToken: token,
		})
		if err != nil {
			return fmt.Errorf("read slots: %w", err)
		}
		for _, s := range page.GetSlots() {
			r.slots = append(r.slots, s.GetId())
		}
		if token = page.GetNextPageToken(); token == "" {
			return nil
		}
	}
}
