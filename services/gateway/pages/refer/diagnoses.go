package refer

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
)

func (p *Pages) diagnoses(w http.ResponseWriter, r *http.Request) error {
	list, err := p.Referral.SearchDiagnoses(r.Context(), &referralv1.SearchDiagnosesRequest{Query: r.URL.Query().Get("query")})
	if err != nil {
		return err
	}
	type item struct {
		Code    string `json:"code"`
		Display string `json:"display"`
		Called  string `json:"called"`
	}
	items := []item{}
	for i, d := range list.GetDiagnoses() {
		items = append(items, item{d.GetCode(), d.GetDisplay(), list.GetCalled()[i]})
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(items)
}

// listsKept is for how long a browser keeps a whole list: it changes with a release.
const listsKept = 7 * 24 * time.Hour

func listKept() string { return fmt.Sprintf("private, max-age=%d", int(listsKept.Seconds())) }

// allDiagnoses answers the whole list, one a line (code, name, what else it is called, and the words at which it is thought of, parted by tabs), which
// the form's script keeps for when the line is gone.
func (p *Pages) allDiagnoses(w http.ResponseWriter, r *http.Request) error {
	list, err := p.Referral.ListDiagnoses(r.Context(), &referralv1.ListDiagnosesRequest{})
	if err != nil {
		return err
	}
	var out strings.Builder
	for _, d := range list.GetDiagnoses() {
		out.WriteString(d.GetCode() + "\t" + d.GetDisplay() + "\t" + strings.Join(d.GetWords(), " ") + "\t" + strings.Join(d.GetRelated(), " ") + "\n")
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", listKept())
	_, err = io.WriteString(w, out.String())
	return err
}
