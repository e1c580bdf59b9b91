package rest

import (
	"io"
	"net/http"

	"google.golang.org/protobuf/encoding/protojson"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/copies"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// copyRoute is a patient's own copy, which grpc-gateway cannot make: the answer is a FHIR document, and its ledger row stands in headers.
const copyRoute = "POST " + Prefix + "/patients/{id}/copies"

func (a *api) copies(routes *http.ServeMux) {
	conn := a.deps.Conns
	maker := copies.New(patientrecordv1.NewExportServiceClient(conn.PatientRecord), directoryv1.NewDirectoryServiceClient(conn.Directory))
	routes.Handle(copyRoute, a.person(func(w http.ResponseWriter, r *http.Request) error {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
		}
		st := &patientrecordv1.CopyStatement{}
		if err := protojson.Unmarshal(body, st); err != nil {
			return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
		}
		st.Form = "FHIR"
		made, err := maker.Make(r.Context(), r.PathValue("id"), st)
		if err != nil {
			return err
		}
		h := w.Header()
		h.Set("Content-Type", copies.MediaType)
		h.Set("Content-Disposition", `attachment; filename="`+copies.FileName+`"`)
		h.Set("X-Export-Id", made.Row.GetId())
		h.Set("X-Export-Digest", made.Row.GetSha256())
		_, err = w.Write(made.Document)
		return err
	}))
}
