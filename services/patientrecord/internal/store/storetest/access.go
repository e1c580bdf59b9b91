package storetest

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

func openingsKept(t *testing.T, f Fixture) {
	p := f.add(t, domain.Details{Name: "曾小明", IdentityNumber: "990122195603120016"})
	request := app.Request{Method: "StatePurpose", ID: "r1", Body: []byte("body")}
	var kept domain.Opening
	put := func(request app.Request) (first domain.Opening, err error) {
		err = f.change(t, app.Command{Request: request}, func(u app.Unit) error {
			found, err := u.Replayed(t.Context(), &first)
			if err != nil || found {
				return err
			}
			first = domain.Opening{
				ID: id.New(), Account: "account-1", Organization: "org-1", PatientID: p.ID(), Purpose: domain.PurposeTreatment,
				From: u.Now(), To: u.Now().Add(time.Hour),
			}
			u.PutOpening(first)
			return u.Replay(first)
		})
		return first, err
	}
	kept, err := put(request)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := put(request); err != nil || again != kept {
		t.Errorf("a repeat answers %+v, want %+v (%v)", again, kept, err)
	}
	request.Body = []byte("another")
	if _, err := put(request); errs.ReasonOf(err) != errs.ReasonRequestIDReused {
		t.Errorf("%v", err)
	}
	list, err := f.Store.Openings(t.Context(), county, p.ID(), "account-1")
	if err != nil || len(list) != 1 || list[0] != kept {
		t.Errorf("%+v, want %+v (%v)", list, kept, err)
	}
	for _, who := range [][3]string{{county, p.ID(), "account-2"}, {county, id.New(), "account-1"}, {"450322", p.ID(), "account-1"}} {
		if list, err := f.Store.Openings(t.Context(), who[0], who[1], who[2]); err != nil || len(list) != 0 {
			t.Errorf("%v sees %v (%v)", who, list, err)
		}
	}
}
