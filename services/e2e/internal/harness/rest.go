package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
)

// callTime bounds one REST call.
const callTime = 20 * time.Second

// Person is a signed-in client of the REST interface. Safe for concurrent use.
type Person struct {
	Account *directoryv1.Account

	base   string
	token  string
	client *http.Client
}

// Refusal is an answer that is not 2xx.
type Refusal struct {
	Status   int
	Code     int
	Reason   string
	Metadata map[string]string
	Fields   map[string]string // name → reason
	Message  string
	Header   http.Header
}

// Error implements error.
func (r *Refusal) Error() string {
	return fmt.Sprintf("%d %s %v %v: %s", r.Status, r.Reason, r.Metadata, r.Fields, r.Message)
}

// SignIn signs a person in.
func (s *System) SignIn(ctx context.Context, login string) (*Person, error) {
	p := &Person{base: s.URL + "/api/v1", client: &http.Client{Timeout: callTime, Transport: &http.Transport{MaxIdleConnsPerHost: 4}}}
	session, err := Call[directoryv1.Session](ctx, p, http.MethodPost, "/sessions", &directoryv1.SignInRequest{Account: login, Password: Password})
	if err != nil {
		return nil, fmt.Errorf("sign in as %s: %w", login, err)
	}
	p.token, p.Account = session.GetAccessToken(), session.GetAccount()
	return p, nil
}

// Call sends body as JSON to a route below /api/v1 and reads the answer into a new M. A refusal is a [*Refusal].
func Call[M any, P interface {
	*M
	proto.Message
}](ctx context.Context, p *Person, method, path string, body proto.Message, header ...string) (P, error) {
	var content io.Reader
	if body != nil {
		text, err := protojson.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, p.base+path, content)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	if p.token != "" {
		request.Header.Set("Authorization", "Bearer "+p.token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	answer, err := p.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode/100 != 2 {
		return nil, refusal(answer, text)
	}
	out := P(new(M))
	if err := protojson.Unmarshal(text, out); err != nil {
		return nil, fmt.Errorf("%s %s answers what cannot be read: %w", method, path, err)
	}
	return out, nil
}

// Upload sends files to a route below /api/v1 and answers the id of what the first became.
func (p *Person) Upload(t testing.TB, path, contentType string, body io.Reader) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.base+path, body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("Authorization", "Bearer "+p.token)
	answer, err := p.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	var made struct{ ID string }
	if err == nil {
		err = json.Unmarshal(text, &made)
	}
	if err != nil || made.ID == "" {
		t.Fatalf("POST %s: %d %s: %v", path, answer.StatusCode, text, err)
	}
	return made.ID
}

func refusal(answer *http.Response, text []byte) *Refusal {
	r := &Refusal{Status: answer.StatusCode, Fields: map[string]string{}, Header: answer.Header}
	var body struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
		Details []struct {
			Type            string            `json:"@type"`
			Reason          string            `json:"reason"`
			Metadata        map[string]string `json:"metadata"`
			FieldViolations []struct{ Field, Reason, Description string }
		} `json:"details"`
	}
	if err := json.Unmarshal(text, &body); err != nil {
		r.Message = string(text)
		return r
	}
	r.Code, r.Message = body.Code, body.Message
	for _, d := range body.Details {
		switch {
		case strings.HasSuffix(d.Type, "ErrorInfo"):
			r.Reason, r.Metadata = d.Reason, d.Metadata
		case strings.HasSuffix(d.Type, "BadRequest"):
			for _, v := range d.FieldViolations {
				r.Fields[v.Field] = v.Reason
			}
		}
	}
	return r
}
