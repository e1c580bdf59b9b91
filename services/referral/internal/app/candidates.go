package app

import (
	"context"
	"slices"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// Candidates come from three sources. A conclusion finds them in its own transaction: that is exactly once and survives a crash without a
// fact of our own to wait for. Discharges and long stays arrive as facts, noted in the inbox in the transaction that finds.

// concluded finds a candidate when an up-referral is concluded.
func (s *Service) concluded(ctx context.Context, u Unit, c domain.Command, r *domain.Referral, cal domain.Calendar) error {
	if c.Action != domain.ActionConclude {
		return nil
	}
	return s.judged(ctx, u, c.At, r.Snapshot(), cal)
}

// corrected is the same for a conclusion whose outcome was corrected, where that decides whether the patient can go down.
func (s *Service) corrected(ctx context.Context, u Unit, r *domain.Referral, cal domain.Calendar) error {
	was, died := r.Loaded().Lost()
	if lost, _ := r.Snapshot().Lost(); lost == was {
		return nil
	}
	if died {
		if err := s.lives(ctx, u, r.Snapshot(), cal.DecisionDue(u.Now())); err != nil {
			return err
		}
	}
	return s.judged(ctx, u, u.Now(), r.Snapshot(), cal)
}

// judged makes a candidate of what the county concluded of a stay, or ends the one that it has.
func (s *Service) judged(ctx context.Context, u Unit, at time.Time, now domain.Snapshot, cal domain.Calendar) error {
	if !now.Stays() {
		return nil
	}
	if lost, died := now.Lost(); lost {
		return s.ended(ctx, u, now.Stay(), died)
	}
	age := domain.AgeOn(now.Patient.BirthDate, cal.Today(at))
	return s.found(ctx, u, domain.Match{
		Stay: now.Stay(), Origin: domain.OriginConcluded, Due: cal.DecisionDue(at),
		Reasons: s.downReasons(domain.Codes(now.Diagnoses), now.Findings(), age, at),
	})
}

// found makes a candidate of a stay, or merges what is known now into the one that the stay has. A patient who was sent down already is
// one that was answered before: should that be taken back, the department has it on its list.
func (s *Service) found(ctx context.Context, u Unit, m domain.Match) error {
	all, err := u.Candidates(ctx, m.PatientID)
	if err != nil {
		return err
	}
	for _, c := range all {
		if c.Snapshot().Covers(m.Stay) {
			c.Merge(m, u.Now())
			u.SaveCandidate(c)
			return s.rests(ctx, u, m.Due, c)
		}
	}
	if len(m.Reasons) == 0 {
		return nil
	}
	if m.Origin == domain.OriginDischarged {
		// What the county's doctor concluded of the same stay was judged then.
		if judged, err := u.Concluded(ctx, m.Stay); judged || err != nil {
			return err
		}
	}
	down, err := u.SentDown(ctx, m.Stay)
	if err != nil {
		return err
	}
	c, err := domain.NewCandidate(id.New(), m, down, u.Now())
	if err != nil {
		return refusal(err)
	}
	u.SaveCandidate(c)
	return s.rests(ctx, u, m.Due, c)
}

// ended takes the candidate of a stay off the list, if it had one, and those that rest on it: the patient died or went to another hospital.
func (s *Service) ended(ctx context.Context, u Unit, stay domain.Stay, died bool) error {
	all, err := u.Candidates(ctx, stay.PatientID)
	if err != nil {
		return err
	}
	for _, c := range all {
		if known := c.Snapshot(); known.Covers(stay) || stay.ReferralID != "" && known.UpAgainBy == stay.ReferralID {
			c.Ended(died, domain.Actor{AccountID: Self}, u.Now())
			u.SaveCandidate(c)
		}
	}
	return nil
}

// sentDown closes the patient's candidates when a down-referral is sent, and opens them again when it is taken back or refused.
func (s *Service) sentDown(ctx context.Context, u Unit, c domain.Command, down domain.Snapshot) error {
	if !slices.Contains([]domain.Action{domain.ActionSubmit, domain.ActionDecline, domain.ActionCancel}, c.Action) {
		return nil
	}
	all, err := u.Candidates(ctx, down.PatientID)
	if err != nil {
		return err
	}
	for _, one := range all {
		if c.Action == domain.ActionSubmit {
			one.SentDown(down, c.By, c.At)
		} else {
			one.TakenBack(down.ID, c.Carry.DecisionDue, c.By, c.At)
		}
		u.SaveCandidate(one)
	}
	if c.Action == domain.ActionSubmit {
		return nil
	}
	// While they waited for nothing, the patient may have been sent up again, or that may be over.
	return s.rests(ctx, u, c.Carry.DecisionDue, all...)
}

// CandidateFilter is a list as a person asks for it. State is OPEN (or empty), DISMISSED, CLOSED or ALL; the token is opaque.
type CandidateFilter struct {
	State, Department string
	PageToken         string
	Limit             int
}

func candidateStates(state string) []domain.CandidateState {
	open := []domain.CandidateState{domain.CandidateOpen, domain.CandidateReferred}
	switch state {
	case "ALL":
		return append(open, domain.CandidateDismissed, domain.CandidateClosed)
	case "", string(domain.CandidateOpen):
		return open
	}
	return []domain.CandidateState{domain.CandidateState(state)}
}

// scope is the department whose candidates the caller sees; "" for all of the organisation: the desk, and who belongs to no department.
func scope(caller authn.Identity) string {
	if caller.Has("INTAKE_DESK") {
		return ""
	}
	return caller.Department
}

// ListCandidates answers a page of the caller's organisation's candidates, the soonest due first, and the token of the next; "" after the
// last. The medicines say what the centre has now.
func (s *Service) ListCandidates(ctx context.Context, caller authn.Identity, f CandidateFilter) ([]CandidateView, string, error) {
	q := CandidateQuery{Caller: caller, Department: f.Department, States: candidateStates(f.State)}
	if own := scope(caller); own != "" {
		if f.Department != "" && f.Department != own {
			return nil, "", nil
		}
		q.Department = own
	}
	if f.PageToken != "" {
		after, ok := parseToken(f.PageToken, true)
		if !ok {
			return nil, "", errs.Invalid(errs.Bad("pageToken", errs.ReasonFieldInvalid))
		}
		q.After = &after
	}
	size := f.Limit
	if size <= 0 {
		size = defaultPage
	}
	size = min(size, maxPage)
	q.Limit = size + 1
	views, err := s.Candidates.ListCandidates(ctx, q)
	if err != nil {
		return nil, "", err
	}
	next := ""
	if len(views) > size {
		views = views[:size]
		last := views[size-1]
		next = token(Cursor{Time: last.Due, ID: last.ID}, true)
	}
	return views, next, s.stock(ctx, views)
}

// stock says of the medicines of candidates whether their centres have them, with one look at each centre's list.
func (s *Service) stock(ctx context.Context, views []CandidateView) error {
	byCentre := map[string][]int{}
	for i, v := range views {
		if v.CentreID != "" && len(v.Medicines) > 0 {
			byCentre[v.CentreID] = append(byCentre[v.CentreID], i)
		}
	}
	for centre, places := range byCentre {
		var all []domain.Medicine
		for _, i := range places {
			all = append(all, views[i].Medicines...)
		}
		checked, err := s.checked(ctx, views[places[0]].County, centre, all)
		if err != nil {
			return err
		}
		for _, i := range places {
			n := len(views[i].Medicines)
			views[i].Medicines, checked = checked[:n:n], checked[n:]
		}
	}
	return nil
}

// seenCandidate is NOT_FOUND for a candidate of another organisation, or of another department than the caller's own.
func seenCandidate(caller authn.Identity, c domain.CandidateSnapshot) error {
	own := scope(caller)
	if c.OrganizationID != caller.Organization || caller.Organization == "" || own != "" && c.DepartmentCode != own {
		return errs.NotFound("candidate")
	}
	return nil
}

// Candidate opens one; the audit trail has it before the answer.
func (s *Service) Candidate(ctx context.Context, caller authn.Identity, id string) (CandidateView, error) {
	v, err := s.Candidates.Candidate(ctx, caller.County, id)
	if err != nil {
		return CandidateView{}, err
	}
	if err := seenCandidate(caller, v.CandidateSnapshot); err != nil {
		return CandidateView{}, err
	}
	if err := s.Candidates.NoteCandidateRead(ctx, caller, v.CandidateSnapshot); err != nil {
		return CandidateView{}, err
	}
	views := []CandidateView{v}
	return views[0], s.stock(ctx, views)
}

// Dismissal takes a candidate off the list for a coded reason.
type Dismissal struct {
	ID string
	domain.Dismissal
}

// DismissCandidate does so. Errors: NOT_FOUND, VERSION_REQUIRED, STALE_VERSION, ACTION_NOT_AVAILABLE, fields.
func (s *Service) DismissCandidate(ctx context.Context, cmd Command, in Dismissal) (CandidateView, error) {
	if err := s.knownReason(ctx, cmd.Caller.County, domain.DismissCandidate, in.Reason); err != nil {
		return CandidateView{}, err
	}
	v, err := s.Candidates.ChangeCandidate(ctx, cmd, in.ID, func(c *domain.Candidate, now time.Time) error {
		if err := seenCandidate(cmd.Caller, c.Snapshot()); err != nil {
			return err
		}
		return refusal(c.Dismiss(in.Dismissal, actor(cmd.Caller), now))
	})
	if err != nil {
		return CandidateView{}, err
	}
	views := []CandidateView{v}
	return views[0], s.stock(ctx, views)
}

// ReferCandidate makes a draft down-referral with all that is known of the candidate; again it answers the same draft. Errors: NOT_FOUND,
// ROLE, ACTION_NOT_AVAILABLE.
func (s *Service) ReferCandidate(ctx context.Context, cmd Command, candidateID string) (View, error) {
	return s.first(ctx, cmd, func() (View, error) {
		v, err := s.Candidates.Candidate(ctx, cmd.Caller.County, candidateID)
		if err != nil {
			return View{}, err
		}
		if err := seenCandidate(cmd.Caller, v.CandidateSnapshot); err != nil {
			return View{}, err
		}
		if !domain.MayAct(domain.Down, domain.Originator, cmd.Caller.Roles) {
			return View{}, errs.Denied(errs.ReasonRole)
		}
		draft, err := s.candidateDraft(ctx, cmd.Caller, v.CandidateSnapshot)
		if err != nil {
			return View{}, err
		}
		made := referralID(cmd)
		return s.change(ctx, cmd, func(u Unit, cal domain.Calendar) error {
			return s.refer(ctx, u, cmd, referring{v.CandidateSnapshot, made, draft}, cal)
		})
	})
}

// referring is a candidate and the draft that it makes.
type referring struct {
	candidate domain.CandidateSnapshot
	made      string
	draft     domain.Draft
}

func (s *Service) refer(ctx context.Context, u Unit, cmd Command, in referring, cal domain.Calendar) error {
	if in.candidate.State == domain.CandidateReferred {
		// Whoever changes a referral and its patient's candidates takes the referral first.
		if _, err := u.Referral(ctx, in.candidate.DownReferral); err != nil {
			return err
		}
	}
	all, err := u.Candidates(ctx, in.candidate.PatientID)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(c *domain.Candidate) bool { return c.Snapshot().ID == in.candidate.ID })
	if i < 0 {
		return errs.NotFound("candidate")
	}
	c := all[i]
	if now := c.Snapshot(); now.State == domain.CandidateReferred {
		r, err := u.Referral(ctx, now.DownReferral)
		if err != nil {
			return err
		}
		u.Save(r)
		return nil
	}
	if err := c.Refer(in.made, actor(cmd.Caller), u.Now()); err != nil {
		return refusal(err)
	}
	r := domain.New(in.made, cmd.Caller.County)
	if err := s.create(r, cmd.Caller, Creation{Draft: in.draft}, u.Now(), cal); err != nil {
		return err
	}
	u.SaveCandidate(c)
	u.Save(r)
	return nil
}

// candidateDraft is the down-referral that a candidate makes, with what the hospital wrote back and what the centre has.
func (s *Service) candidateDraft(ctx context.Context, caller authn.Identity, c domain.CandidateSnapshot) (domain.Draft, error) {
	var reply domain.Reply
	if c.ReferralID != "" {
		up, err := s.Reader.Get(ctx, caller, c.ReferralID)
		if err != nil {
			return domain.Draft{}, err
		}
		reply = up.Reply
	}
	d := c.Draft(reply, domain.DownKind(s.conditions(c)))
	if caller.Department != "" {
		d.Originator.DepartmentCode = caller.Department
	}
	d.Diagnoses = s.named(d.Diagnoses)
	return d, s.enrich(ctx, caller.County, &d)
}

// conditions are those that the reasons of a candidate belong to, then those that its diagnoses are.
func (s *Service) conditions(c domain.CandidateSnapshot) []string {
	var out []string
	for _, code := range c.Reasons {
		// A length of stay is of no condition.
		if r, ok := s.Reason(code); ok && r.Condition != "" {
			out = append(out, r.Condition)
		}
	}
	for _, icd := range domain.Codes(c.Diagnoses) {
		for _, x := range s.Criteria.ConditionsOf(icd) {
			out = append(out, x.Code)
		}
	}
	return out
}
