package rpc

import (
	"context"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
)

// downtimeServer implements DowntimeService.
type downtimeServer struct {
	referralv1.UnimplementedDowntimeServiceServer
	app *app.Service
}

// AllotBlankForms implements DowntimeService.
func (s downtimeServer) AllotBlankForms(ctx context.Context, m *referralv1.AllotBlankFormsRequest) (*referralv1.BlankForms, error) {
	cmd, err := command(ctx, referralv1.DowntimeService_AllotBlankForms_FullMethodName, m)
	if err != nil {
		return nil, err
	}
	return blanks(s.app.AllotBlanks(ctx, cmd, app.Allotment{OrganizationID: m.GetOrganizationId(), Form: m.GetForm(), Count: int(m.GetCount())}))
}

// ListBlankForms implements DowntimeService.
func (s downtimeServer) ListBlankForms(ctx context.Context, m *referralv1.ListBlankFormsRequest) (*referralv1.BlankForms, error) {
	q := app.BlankQuery{OrganizationID: m.GetOrganizationId(), BatchID: m.GetBatchId()}
	if m.GetState() != referralv1.BlankForm_STATE_UNSPECIFIED {
		q.State = m.GetState().String()
	}
	q.Limit = int(m.GetPageSize())
	list, next, err := s.app.ListBlanks(ctx, caller(ctx), q, m.GetPageToken())
	out, err := blanks(list, err)
	if err != nil {
		return nil, err
	}
	out.NextPageToken = next
	return out, nil
}

// VoidBlankForm implements DowntimeService.
func (s downtimeServer) VoidBlankForm(ctx context.Context, m *referralv1.VoidBlankFormRequest) (*referralv1.BlankForm, error) {
	cmd, err := command(ctx, referralv1.DowntimeService_VoidBlankForm_FullMethodName, m)
	if err != nil {
		return nil, err
	}
	b, err := s.app.VoidBlank(ctx, cmd, m.GetNumber(), m.GetReasonCode(), trim(m.GetNote()))
	if err != nil {
		return nil, err
	}
	return blank(app.PrintedBlank{Blank: b}), nil
}

func blanks(list []app.PrintedBlank, err error) (*referralv1.BlankForms, error) {
	if err != nil {
		return nil, err
	}
	out := &referralv1.BlankForms{Forms: make([]*referralv1.BlankForm, len(list))}
	for i, b := range list {
		out.Forms[i] = blank(b)
	}
	return out, nil
}

func blank(b app.PrintedBlank) *referralv1.BlankForm {
	state := referralv1.BlankForm_OUTSTANDING
	switch {
	case b.ReferralID != "":
		state = referralv1.BlankForm_USED
	case !b.VoidTime.IsZero():
		state = referralv1.BlankForm_VOID
	}
	return &referralv1.BlankForm{
		Number: b.Number.Printed(), BatchId: b.BatchID, Form: b.Form, OrganizationId: b.OrganizationID, State: state, PrintedBy: b.PrintedBy.Name,
		PrintedByOrganization: b.PrintedBy.OrganizationID, PrintTime: stamp(b.PrintTime), ValidUntil: stamp(b.ValidUntil), ReferralId: b.ReferralID,
		VoidReason: b.VoidReason, VoidNote: b.VoidNote, VoidTime: stamp(b.VoidTime), VerificationKey: b.Key,
	}
}
