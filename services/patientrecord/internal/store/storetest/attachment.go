package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// noise is bytes that are the same in every run.
func noise(n int) []byte {
	out := make([]byte, n)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range out {
		out[i] = byte(r.Uint32())
	}
	return out
}

// attach is a document of the patient with so many bytes.
func (f Fixture) attach(t *testing.T, patient, referral string, content []byte) domain.Attachment {
	t.Helper()
	var a domain.Attachment
	f.must(t, func(u app.Unit) error {
		a = domain.NewAttachment(id.New(), patient, domain.AttachmentDetails{
			Kind: domain.LabReport, Title: "血常规", Date: domain.Date{Year: 2026, Month: 3, Day: 1}, Author: "检验科", ReferralID: referral,
		}, domain.AttachmentFile{MediaType: "image/png", Size: len(content), Thumbnail: 3, Width: 7, Height: 8, SHA256: sha256.Sum256(content)},
			domain.Writer{Account: "account-1", Organization: "org-1", Now: u.Now()})
		u.PutAttachment(a, content, []byte("abc"))
		return nil
	})
	return a
}

func (f Fixture) content(ctx context.Context, a domain.Attachment, thumbnail bool) (got []byte, pieces int, err error) {
	err = f.Store.AttachmentContent(ctx, county, a.ID(), app.AttachmentContent{File: a.Keep().File, Thumbnail: thumbnail}, func(piece []byte) error {
		got, pieces = append(got, piece...), pieces+1
		return nil
	})
	return got, pieces, err
}

func attachmentKept(t *testing.T, f Fixture) {
	p := f.add(t, zeng)
	for _, size := range []int{1, 256 << 10, 256<<10 + 1, 1_000_000} {
		content := noise(size)
		a := f.attach(t, p.ID(), "", content)
		got, pieces, err := f.content(t.Context(), a, false)
		if err != nil || !bytes.Equal(got, content) || size > 256<<10 && pieces < 2 {
			t.Errorf("%d bytes: %d in %d pieces, %v", size, len(got), pieces, err)
		}
		if got, _, err := f.content(t.Context(), a, true); err != nil || string(got) != "abc" {
			t.Errorf("thumbnail: %d bytes, %v", len(got), err)
		}
		versions, err := f.Store.AttachmentVersions(t.Context(), county, a.ID())
		if err != nil || len(versions) != 1 || !reflect.DeepEqual(versions[0].Keep(), a.Keep()) {
			t.Errorf("kept %v %v", versions, err)
		}
	}
	if _, err := f.Store.AttachmentVersions(t.Context(), county, id.New()); errs.KindOf(err) != errs.KindNotFound {
		t.Errorf("one that is not there: %v", err)
	}
	if _, err := f.Store.AttachmentVersions(t.Context(), "450322", f.attach(t, p.ID(), "", []byte("x")).ID()); errs.KindOf(err) != errs.KindNotFound {
		t.Errorf("one of another county: %v", err)
	}
	stop := errors.New("the line broke")
	a := f.attach(t, p.ID(), "", noise(600<<10))
	n := 0
	err := f.Store.AttachmentContent(t.Context(), county, a.ID(), app.AttachmentContent{File: a.Keep().File}, func([]byte) error { n++; return stop })
	if !errors.Is(err, stop) || n != 1 {
		t.Errorf("whoever takes no more is not given more: %d, %v", n, err)
	}
}

func attachmentsListed(t *testing.T, f Fixture) {
	p, other := f.add(t, zeng), f.add(t, domain.Details{Name: "欧阳红", IdentityNumber: "990122196311070023"})
	one, two := id.New(), id.New()
	first := f.attach(t, p.ID(), one, []byte("1"))
	second := f.attach(t, p.ID(), two, []byte("2"))
	third := f.attach(t, p.ID(), "", []byte("3"))
	f.attach(t, other.ID(), "", []byte("4"))
	for _, c := range []struct {
		filter app.AttachmentFilter
		want   []domain.Attachment
	}{
		{app.AttachmentFilter{Limit: 10}, []domain.Attachment{third, second, first}},
		{app.AttachmentFilter{Limit: 2}, []domain.Attachment{third, second}},
		{app.AttachmentFilter{Limit: 2, After: second.ID()}, []domain.Attachment{first}},
		{app.AttachmentFilter{Limit: 10, Referrals: []string{one, two}}, []domain.Attachment{second, first}},
		{app.AttachmentFilter{Limit: 10, Referrals: []string{}}, nil},
	} {
		c.filter.Patient = p.ID()
		got, err := f.Store.Attachments(t.Context(), county, c.filter)
		if err != nil || !sameAttachments(got, c.want) {
			t.Errorf("%+v: %v %v, want %v", c.filter, got, err, c.want)
		}
	}
	f.must(t, func(u app.Unit) error {
		later := u.Now().Add(time.Hour)
		got, err := u.Travelling(t.Context(), p.ID(), one, later, later)
		if err != nil || !sameAttachments(got, []domain.Attachment{first}) {
			t.Errorf("of a referral: %v %v", got, err)
		}
		wrong, err := u.Attachment(t.Context(), first.ID())
		if err != nil {
			return err
		}
		wrong, _ = wrong.EnterInError("another patient's", domain.Writer{Account: "account-2", Organization: "org-1", Now: u.Now()})
		u.PutAttachment(wrong, nil, nil)
		return nil
	})
	f.must(t, func(u app.Unit) error {
		if got, err := u.Travelling(t.Context(), p.ID(), one, u.Now().Add(time.Hour), u.Now().Add(time.Hour)); err != nil || len(got) != 0 {
			t.Errorf("what was entered in error goes with a referral: %v %v", got, err)
		}
		return nil
	})
	versions, err := f.Store.AttachmentVersions(t.Context(), county, first.ID())
	if err != nil || len(versions) != 2 || versions[0].Counts() || versions[0].Keep().Reason != "another patient's" || !versions[1].Counts() {
		t.Errorf("versions: %v %v", versions, err)
	}
	if got, _, err := f.content(t.Context(), versions[0], false); err != nil || string(got) != "1" {
		t.Errorf("nothing is deleted: %v", err)
	}
	err = f.change(t, app.Command{}, func(u app.Unit) error {
		again, _ := first.Correct(first.Keep().Details, "too late", domain.Writer{Account: "account-1", Organization: "org-1", Now: u.Now()})
		u.PutAttachment(again, nil, nil)
		return nil
	})
	if errs.KindOf(err) != errs.KindStale {
		t.Errorf("a version written twice: %v", err)
	}
}

func sameAttachments(got, want []domain.Attachment) bool {
	if len(got) != len(want) {
		return false
	}
	for i := range got {
		if got[i].ID() != want[i].ID() {
			return false
		}
	}
	return true
}
