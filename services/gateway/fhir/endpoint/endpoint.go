// Package endpoint serves /fhir: what hospitals' own systems send as FHIR R4 bundles, and the search for patients.
//
// It owns the route table, from which the CapabilityStatement is made, the outcomes of bundles and the form of errors: an OperationOutcome,
// always. It refuses to convert (package fhir does), to keep anything, and the session cookie: only a bearer secret counts here.
//
// Invariants:
//  1. A transaction is stored whole or not at all; the entries of a batch stand alone. What is sent again changes nothing.
//  2. What a system sends is of the organisation of its account.
//  3. An outcome names a place and a reason; it never quotes what stands there.
//
// Safe for concurrent use.
package endpoint

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// Prefix of every route.
const Prefix = "/fhir"

// Deps is what the endpoint needs; all fields are required.
type Deps struct {
	Door    *door.Door
	Feed    patientrecordv1.FeedServiceClient
	Patient patientrecordv1.PatientRecordServiceClient
	// Organizations are those of the visitor's county.
	Organizations func(ctx context.Context) ([]*directoryv1.Organization, error)
	Logger        *slog.Logger
	// Began is when this process began: the date of its CapabilityStatement.
	Began time.Time
}

type endpoint struct{ Deps }

type handler func(http.ResponseWriter, *http.Request) error

// route is a row of the route table.
type route struct {
	method, path string
	// resource is the type that the route serves; "" for the whole system.
	resource string
	// interactions are codes of FHIR's restful interactions; note says more of them.
	interactions []string
	note         string
	// open routes need no session.
	open bool
	do   func(*endpoint) handler
}

// routes is the table of what is served.
func routes() []route {
	return []route{
		{method: "GET", path: "/metadata", open: true, do: func(e *endpoint) handler { return e.metadata }},
		{
			method: "POST", path: "", interactions: []string{"transaction", "batch"}, do: func(e *endpoint) handler { return e.accept },
			note: "An entry is known by fullUrl (a urn:uuid by the first identifier): sending it again changes nothing. Types that are not listed are accepted and not stored.",
		},
		{
			method: "POST", path: "/Patient/_search", resource: "Patient", interactions: []string{"search-type"}, do: func(e *endpoint) handler { return e.search },
			note: "By POST only: what identifies a patient stands in no address.",
		},
	}
}

// New builds the handler of everything below Prefix.
func New(deps Deps) http.Handler {
	e := &endpoint{deps}
	mux := http.NewServeMux()
	for _, r := range routes() {
		served := e.page(r.do(e))
		if !r.open {
			served = deps.Door.Bearer(e.page(signedIn(r.do(e))), e.fail)
		}
		mux.Handle(r.method+" "+Prefix+r.path, served)
	}
	mux.Handle("GET "+Prefix+"/Patient", e.page(byPost))
	mux.Handle("GET "+Prefix+"/Patient/_search", e.page(byPost))
	mux.Handle("/", e.page(func(http.ResponseWriter, *http.Request) error { return errs.NotFound("route") }))
	return mux
}

// byPost refuses a search whose words stand in the address.
func byPost(http.ResponseWriter, *http.Request) error {
	return errs.New(errs.KindInvalid, errs.ReasonFieldInvalid, "search for patients with POST /fhir/Patient/_search: no address may identify a patient", nil)
}

func (e *endpoint) page(do handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := do(w, r); err != nil {
			e.fail(w, r, err)
		}
	})
}

// signedIn lets nobody through without a session.
func signedIn(do handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if _, ok := door.VisitorFrom(r.Context()); !ok {
			return errs.New(errs.KindUnauthenticated, errs.ReasonSessionExpired, "sign in first: Authorization: Bearer", nil)
		}
		// The secret ends at the gateway; services get the call token only.
		r.Header.Del("Authorization")
		return do(w, r)
	}
}
