package rpc

import (
	"context"

	"google.golang.org/protobuf/proto"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// accessServer implements AccessService.
type accessServer struct {
	patientrecordv1.UnimplementedAccessServiceServer
	app *app.App
}

// requestOf names a write, with the whole message as its body.
func requestOf(method, id string, in proto.Message) (app.Request, error) {
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(in)
	return app.Request{Method: method, ID: id, Body: body}, err
}

// StatePurpose implements the contract.
func (s accessServer) StatePurpose(ctx context.Context, in *patientrecordv1.StatePurposeRequest) (*patientrecordv1.Opening, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	request, err := requestOf("StatePurpose", in.GetRequestId(), in)
	if err != nil {
		return nil, err
	}
	opened, err := s.app.StatePurpose(ctx, who, app.Stated{
		Request: request, PatientID: in.GetPatientId(), Purpose: domain.Purpose(in.GetPurpose().String()),
	})
	if err != nil {
		return nil, err
	}
	return fromOpening(opened), nil
}

func fromOpening(o domain.Opening) *patientrecordv1.Opening {
	if o.ID == "" {
		return nil
	}
	return &patientrecordv1.Opening{
		Id: o.ID, PatientId: o.PatientID, ExpireTime: stamp(o.To),
		Purpose: patientrecordv1.Purpose_Code(patientrecordv1.Purpose_Code_value[string(o.Purpose)]),
	}
}

func fromWithheld(w app.Withheld) *patientrecordv1.Withheld {
	if w.Count == 0 {
		return nil
	}
	return &patientrecordv1.Withheld{Count: int32(w.Count), Child: w.Child}
}
