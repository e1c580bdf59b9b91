package app

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// Subject is what of a county's settings has versions of its own.
type Subject string

// The subjects; the words are stored.
const (
	SubjectSettings Subject = "SETTINGS"
	SubjectTargets  Subject = "TARGETS"
	SubjectReasons  Subject = "REASONS"
)

// SettingVersion is one version and who made it; the account is empty where nobody noted it. One of the bodies is set, by the subject.
type SettingVersion struct {
	Version     int32
	AccountID   string
	AccountName string
	At          time.Time
	Settings    domain.Settings
	Targets     domain.Targets
	Reasons     domain.ReasonSettings
}

// Versions keeps what a county has set by subject, every version of it.
type Versions interface {
	// Targets and ReasonSettings are those of a county, the zero value if nothing was set; Put… is as PutSettings of [Settings].
	Targets(ctx context.Context, county string) (domain.Targets, error)
	PutTargets(ctx context.Context, cmd Command, t domain.Targets) (domain.Targets, error)
	ReasonSettings(ctx context.Context, county string) (domain.ReasonSettings, error)
	PutReasonSettings(ctx context.Context, cmd Command, s domain.ReasonSettings) (domain.ReasonSettings, error)
	// SettingVersions are the last versions of a subject, the newest first.
	SettingVersions(ctx context.Context, county string, subject Subject, limit int) ([]SettingVersion, error)
}

const versionsShown = 100

// SettingHistory are the versions of a subject in the caller's county, the newest first.
func (s *Service) SettingHistory(ctx context.Context, caller authn.Identity, subject Subject) ([]SettingVersion, error) {
	found, err := s.Versions.SettingVersions(ctx, caller.County, subject, versionsShown)
	for i := range found {
		found[i].Settings = found[i].Settings.Whole()
	}
	return found, err
}

// GetTargets answers what the caller's county wants to reach.
func (s *Service) GetTargets(ctx context.Context, caller authn.Identity) (domain.Targets, error) {
	return s.Versions.Targets(ctx, caller.County)
}

// UpdateTargets replaces them. Errors: fields, STALE_VERSION, REQUEST_ID_REUSED.
func (s *Service) UpdateTargets(ctx context.Context, cmd Command, in domain.Targets) (domain.Targets, error) {
	bad := in.Check(func(code string) domain.Unit {
		m, _ := s.Published.Measure(code)
		return aimedUnit(m)
	})
	if len(bad) > 0 {
		return domain.Targets{}, refusal(&domain.Refusal{Why: domain.Content, Fields: bad})
	}
	for i, t := range in.Targets {
		if t.OrganizationID == "" {
			continue
		}
		_, found, err := s.organization(ctx, cmd.Caller.County, domain.Party{OrganizationID: t.OrganizationID, DepartmentCode: t.DepartmentCode})
		if err != nil {
			return domain.Targets{}, err
		}
		if !found {
			return domain.Targets{}, errs.Invalid(errs.Bad(fmt.Sprintf("targets.targets[%d].organizationId", i), errs.ReasonFieldUnknown))
		}
	}
	return s.Versions.PutTargets(ctx, cmd, in)
}

// GetReasonSettings answers what the caller's county has set of the reasons.
func (s *Service) GetReasonSettings(ctx context.Context, caller authn.Identity) (domain.ReasonSettings, error) {
	return s.Versions.ReasonSettings(ctx, caller.County)
}

// UpdateReasonSettings replaces it; every instance goes by it within seconds. Errors: fields, STALE_VERSION, REQUEST_ID_REUSED.
func (s *Service) UpdateReasonSettings(ctx context.Context, cmd Command, in domain.ReasonSettings) (domain.ReasonSettings, error) {
	if bad := in.Check(); len(bad) > 0 {
		return domain.ReasonSettings{}, refusal(&domain.Refusal{Why: domain.Content, Fields: bad})
	}
	before, err := s.Versions.ReasonSettings(ctx, cmd.Caller.County)
	if err != nil {
		return domain.ReasonSettings{}, err
	}
	numbered, bad := in.Numbered(before)
	if len(bad) > 0 {
		return domain.ReasonSettings{}, refusal(&domain.Refusal{Why: domain.Content, Fields: bad})
	}
	set, err := s.Versions.PutReasonSettings(ctx, cmd, numbered.Own())
	if err != nil || before.Version == in.Version {
		return set, err
	}
	// Not stale, so this request was answered before: what it made has its codes since.
	history, err := s.Versions.SettingVersions(ctx, cmd.Caller.County, SubjectReasons, versionsShown)
	for _, v := range history {
		if v.Version == set.Version {
			return v.Reasons, err
		}
	}
	return set, err
}

// Reasons are the reasons of an action in the words of a county. With a direction they are those that a list for it offers; without one all,
// those hidden marked.
func (s *Service) Reasons(ctx context.Context, county string, a domain.Action, d domain.Direction) ([]domain.SetReason, error) {
	set, err := s.reasons.of(ctx, county, s.Versions, s.Clock.Now())
	if err != nil {
		return nil, err
	}
	out := set.Apply(a)
	if d != "" {
		out = slices.DeleteFunc(out, func(r domain.SetReason) bool { return r.Hidden || r.Only != "" && r.Only != d })
	}
	return out, nil
}

// knownReason refuses a county's own reason that the county did not make; one that is hidden by now stands, because whoever chose it saw it offered.
// The domain checks shipped ones.
func (s *Service) knownReason(ctx context.Context, county string, a domain.Action, code string) error {
	if domain.CountsAs(code) == code {
		return nil
	}
	set, err := s.reasons.of(ctx, county, s.Versions, s.Clock.Now())
	if err == nil && !set.Knows(a, code) {
		set, err = s.Versions.ReasonSettings(ctx, county) // made a moment ago
	}
	if err == nil && !set.Knows(a, code) {
		err = errs.Invalid(errs.Bad("reasonCode", errs.ReasonFieldUnknown))
	}
	return err
}

// keptReasons keeps the reason settings of counties for a few seconds, as [CountyCalendars] does: every list of cases asks for words.
type keptReasons struct {
	mu   sync.Mutex
	kept map[string]reasonsUntil
}

type reasonsUntil struct {
	domain.ReasonSettings
	until time.Time
}

func (k *keptReasons) of(ctx context.Context, county string, from Versions, now time.Time) (domain.ReasonSettings, error) {
	k.mu.Lock()
	one, found := k.kept[county]
	k.mu.Unlock()
	if found && now.Before(one.until) {
		return one.ReasonSettings, nil
	}
	set, err := from.ReasonSettings(ctx, county)
	if err != nil {
		return set, fmt.Errorf("reasons of county %s: %w", county, err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.kept == nil {
		k.kept = map[string]reasonsUntil{}
	}
	k.kept[county] = reasonsUntil{set, now.Add(calendarKept)}
	return set, nil
}
