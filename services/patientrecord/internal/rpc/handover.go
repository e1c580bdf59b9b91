package rpc

import (
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	platform "github.com/tongzhen/tongzhen/services/internal/rpc"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// GetPackage implements the contract.
func (s *Server) GetPackage(ctx context.Context, in *patientrecordv1.GetPackageRequest) (*patientrecordv1.Package, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	var p app.ShownPackage
	if in.GetReply() {
		p, err = s.app.Reply(ctx, who, in.GetReferralId())
	} else {
		p, err = s.app.Package(ctx, who, in.GetReferralId(), in.GetVersion())
	}
	if err != nil {
		return nil, err
	}
	summary, err := fromSummary(p.Summary)
	if err != nil {
		return nil, err
	}
	results, reports, err := examined(p.Results)
	if err != nil {
		return nil, err
	}
	newer, err := fromEntries(p.NewerAllergies, func(m *patientrecordv1.Allergy, id string) { m.Id = id })
	if err != nil {
		return nil, err
	}
	out := &patientrecordv1.Package{
		ReferralId: p.ReferralID, PatientId: p.Summary.Patient.ID, Summary: summary, Results: results, Reports: reports,
		AssembledTime: stamp(p.Version.Assembled), Version: p.Version.Version, ReferralVersion: p.Version.ReferralVersion,
		WithdrawnAttachments: int32(p.Withdrawn), Reply: in.GetReply(), NewerAllergies: newer,
	}
	for _, a := range p.Attachments {
		out.Attachments = append(out.Attachments, &patientrecordv1.PackageAttachment{Attachment: fromAttachment(a.Attachment), Version: a.Version})
	}
	for _, i := range p.Items {
		out.Items = append(out.Items, &patientrecordv1.PackageItem{Kind: string(i.Kind), EntryId: i.ID, Version: i.Version})
	}
	for _, v := range p.Versions {
		out.Versions = append(out.Versions, &patientrecordv1.PackageVersion{
			Version: v.Version, AssembledTime: stamp(v.Assembled), ReferralVersion: v.ReferralVersion,
		})
	}
	return out, nil
}

// examined are the values and the reports among a package's results.
func examined(entries []domain.Entry) (values []*patientrecordv1.Observation, reports []*patientrecordv1.DiagnosticReport, err error) {
	var observed, reported []domain.Entry
	for _, e := range entries {
		if e.Kind == domain.KindReport {
			reported = append(reported, e)
		} else {
			observed = append(observed, e)
		}
	}
	if values, err = observations(observed); err != nil {
		return nil, nil, err
	}
	reports, err = fromEntries(reported, func(m *patientrecordv1.DiagnosticReport, id string) { m.Id = id })
	return values, reports, err
}

// handBackTimeout bounds the question what a referral hands back; the fact comes again.
const handBackTimeout = 5 * time.Second

// HandedBack implements app.Referrals, as the service itself.
func (r *Referrals) HandedBack(ctx context.Context, county, referral string) (string, []domain.Entry, error) {
	ctx, cancel := context.WithTimeout(platform.WithCounty(platform.AsService(ctx), county), handBackTimeout)
	defer cancel()
	out, err := r.handover.GetHandedBack(ctx, &referralv1.GetHandedBackRequest{ReferralId: referral})
	if err != nil {
		if err := errs.FromStatus(err); errs.KindOf(err) == errs.KindNotFound {
			return "", nil, err
		}
		return "", nil, away(err)
	}
	entries := make([]domain.Entry, 0, len(out.GetMedicines()))
	for i, m := range out.GetMedicines() {
		e, err := toEntry(fmt.Sprintf("medicines[%d]", i), domain.ReplySystem, &patientrecordv1.ClinicalEntry{
			SourceIdentity: domain.ReplyIdentity(referral, int(m.GetPlace())),
			Resource:       &patientrecordv1.ClinicalEntry_Medication{Medication: medication(m, out.GetTime())},
		})
		if err != nil {
			return "", nil, fmt.Errorf("read medicine %d of referral %s: %w", m.GetPlace(), referral, err)
		}
		entries = append(entries, e)
	}
	return out.GetPatientId(), entries, nil
}

// medication is what the county ordered as an entry of the record.
func medication(m *referralv1.HandedBackMedicine, ordered *timestamppb.Timestamp) *patientrecordv1.Medication {
	out := &patientrecordv1.Medication{
		Text: strings.TrimSpace(m.GetName() + " " + m.GetSpecification()), Status: "active", AuthoredTime: ordered, Dosage: m.GetDosage(),
	}
	if m.GetDays() > 0 {
		out.Dosage = strings.TrimLeft(fmt.Sprintf("%s，%d 天", out.GetDosage(), m.GetDays()), "，")
	}
	if m.GetStopped() {
		out.Status = "stopped"
	}
	return out
}

// Stopped is a medicine's entry as it reads once it is stopped.
func Stopped(e domain.Entry) (domain.Entry, error) {
	var m patientrecordv1.Medication
	if err := proto.Unmarshal(e.Content, &m); err != nil {
		return e, fmt.Errorf("read content of entry %s: %w", e.ID, err)
	}
	m.Status = "stopped"
	return toEntry("medicine", e.SourceSystem, &patientrecordv1.ClinicalEntry{
		SourceIdentity: e.SourceIdentity, Resource: &patientrecordv1.ClinicalEntry_Medication{Medication: &m},
	})
}
