package rest

import (
	"encoding/json"
	"errors"
	"net/http"

	"google.golang.org/protobuf/encoding/protojson"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/files"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// The two routes of documents, which grpc-gateway cannot make: files go in and out in pieces. Whoever serves the API gives them the deadline
// of files.Slow.
const (
	UploadRoute  = "POST " + Prefix + "/patients/{id}/attachments"
	ContentRoute = "GET " + Prefix + "/patients/{id}/attachments/{attachment}/content"
)

func (a *api) documents(routes *http.ServeMux) {
	client := patientrecordv1.NewAttachmentServiceClient(a.deps.Conns.PatientRecord)
	routes.Handle(UploadRoute, a.person(func(w http.ResponseWriter, r *http.Request) error { return a.upload(w, r, client) }))
	routes.Handle(ContentRoute, a.person(func(w http.ResponseWriter, r *http.Request) error {
		return files.Receive(w, r, client, &patientrecordv1.DownloadAttachmentRequest{
			PatientId: r.PathValue("id"), Id: r.PathValue("attachment"), Thumbnail: r.URL.Query().Get("thumbnail") == "true",
		}, true)
	}))
}

// person lets nobody through without a session, as signedIn does.
func (a *api) person(h func(http.ResponseWriter, *http.Request) error) http.Handler {
	return a.deps.Door.Bearer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := door.VisitorFrom(r.Context()); !ok {
			a.fail(w, r, errs.New(errs.KindUnauthenticated, errs.ReasonSessionExpired, "sign in first", nil))
			return
		}
		if err := h(w, r); err != nil && !errors.Is(err, files.ErrBroken) {
			a.fail(w, r, err)
		}
	}), a.fail)
}

// upload takes one file; of a request with more, none of the others is dropped in silence: the answer is Invalid, and the first is kept under
// its request id.
func (a *api) upload(w http.ResponseWriter, r *http.Request, client patientrecordv1.AttachmentServiceClient) error {
	var added *patientrecordv1.Attachment
	var refused error
	n, _, err := files.Each(r, func(u files.Upload) {
		request := u.Fields["requestId"]
		if request == "" {
			request = r.Header.Get("Idempotency-Key")
		}
		if u.Index == 0 {
			added, refused = files.Send(r.Context(), client, files.Header(r.PathValue("id"), request, u.Fields), u.Body)
		}
	})
	switch {
	case refused != nil:
		return refused
	case err != nil && added == nil:
		return err
	case n > 1:
		return errs.Invalid(errs.Bad("file", errs.ReasonFieldInvalid))
	case n == 0:
		return errs.Invalid(errs.Required("file"))
	}
	body, err := protojson.MarshalOptions{EmitDefaultValues: true}.Marshal(added)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(json.RawMessage(body))
}
