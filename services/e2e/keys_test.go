//go:build e2e

package e2e_test

import (
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

func TestKeysAreRotatedWhilePeopleReferAndNothingIsLeftUnderTheOldOne(t *testing.T) {
	t.Parallel()
	s := harness.Together(t, binary, true)
	c := signInAll(t, s)
	first := dataKey(t, s)
	known, err := register(t.Context(), c.township, "覃旧钥", id.New())
	must(t, err)
	old := post[referralv1.Referral](t, c.township, "/referrals", c.upward(known.GetId(), neurology))

	stop := make(chan struct{})
	var working sync.WaitGroup
	var mu sync.Mutex
	made := []string{}
	for worker := range 3 {
		working.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				p, err := register(t.Context(), c.township, "覃新"+string(rune('一'+worker*1000+n)), id.New())
				if err == nil {
					_, err = harness.Call[referralv1.Referral](t.Context(), c.township, http.MethodPost, "/referrals", c.upward(p.GetId(), neurology))
				}
				if err == nil {
					_, err = harness.Call[patientrecordv1.Summary](t.Context(), c.township, http.MethodGet, "/patients/"+known.GetId()+"/summary", nil)
				}
				if err != nil {
					t.Errorf("while the keys are rotated: %v", err)
					return
				}
				mu.Lock()
				made = append(made, p.GetId())
				mu.Unlock()
			}
		})
	}
	s.Kill(t, "admin", "keys", "rotate")
	second := dataKey(t, s)
	out, err := s.Command(t.Context(), "admin", "keys", "rotate", "--resume")
	close(stop)
	working.Wait()
	must(t, err)
	if second == first || !strings.Contains(out, "nothing is left under another key") {
		t.Fatalf("the key went from %s to %s:\n%s", first, second, out)
	}
	if len(made) == 0 {
		t.Fatal("nobody worked meanwhile")
	}
	for _, patient := range append(made, known.GetId()) {
		get[patientrecordv1.Patient](t, c.township, "/patients/"+patient)
	}
	if r := get[referralv1.Referral](t, c.township, "/referrals/"+old.GetId()); r.GetForm().GetPastHistory() != "高血压病" {
		t.Errorf("the referral of before reads %v", r.GetForm())
	}
	s.Stop(t)
	if left := s.Sealed(t, keyBytes(t, first)); len(left) > 0 {
		t.Errorf("under the old key are left: %v", left)
	}
	if now := s.Sealed(t, keyBytes(t, second)); len(now) < 5 {
		t.Errorf("under the new key are only %v", now)
	}
}

// dataKey is the id of the current data key in the ring's file.
func dataKey(t *testing.T, s *harness.System) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.DataDir(), "keyring.json"))
	must(t, err)
	var ring struct{ Data struct{ Current string } }
	must(t, json.Unmarshal(text, &ring))
	if len(ring.Data.Current) != 8 {
		t.Fatalf("the ring's current key is %q", ring.Data.Current)
	}
	return ring.Data.Current
}

func keyBytes(t *testing.T, key string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(key)
	must(t, err)
	return raw
}

func TestTheIndexKeyIsRotatedWhilePeopleSearch(t *testing.T) {
	t.Parallel()
	s := harness.Together(t, binary, true)
	c := signInAll(t, s)
	known, err := register(t.Context(), c.township, "覃索引", id.New())
	must(t, err)
	post[referralv1.Referral](t, c.township, "/referrals", c.upward(known.GetId(), neurology))
	finds := func() bool {
		found := post[patientrecordv1.SearchPatientsResponse](t, c.township, "/patients:search", &patientrecordv1.SearchPatientsRequest{Query: "覃索引"})
		return len(found.GetPatients()) == 1 && found.GetPatients()[0].GetId() == known.GetId()
	}
	former := indexKey(t, s)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
			}
			if !finds() {
				t.Error("the patient is not found while the index key is exchanged")
				return
			}
		}
	}()
	s.Kill(t, "admin", "keys", "rotate", "--index")
	out, err := s.Command(t.Context(), "admin", "keys", "rotate", "--index", "--resume")
	close(stop)
	<-stopped
	must(t, err)
	if indexKey(t, s) == former || !strings.Contains(out, "no search terms are left under another key") || !finds() {
		t.Errorf("the index key went from %s to %s:\n%s", former, indexKey(t, s), out)
	}
	out, err = s.Command(t.Context(), "admin", "keys", "status")
	must(t, err)
	if !strings.Contains(out, "search terms of 0 patients under other keys") || !strings.Contains(out, "rows need the index key "+former) {
		t.Errorf("status:\n%s", out)
	}
	// The slip that was printed is proven by the former key.
	if out, err := s.Command(t.Context(), "admin", "keys", "retire", former); err == nil || !strings.Contains(out+err.Error(), "of referral can only be found by it") {
		t.Errorf("a key that is needed was taken away: %v\n%s", err, out)
	}
	if out, err := s.Command(t.Context(), "admin", "keys", "retire", indexKey(t, s)); err == nil {
		t.Errorf("the current key was taken away:\n%s", out)
	}
}

// indexKey is the id of the current index key in the ring's file.
func indexKey(t *testing.T, s *harness.System) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.DataDir(), "keyring.json"))
	must(t, err)
	var ring struct{ Index struct{ Current string } }
	must(t, json.Unmarshal(text, &ring))
	return ring.Index.Current
}
