package gateway_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
)

type browser struct {
	w        *world
	cookies  map[string]string
	language string
	overt    strings.Builder // addresses, Location headers and cookies
}

func (w *world) browser(session string) *browser {
	b := &browser{w: w, cookies: map[string]string{}, language: "en"}
	if session != "" {
		b.cookies["tongzhen_session"] = session
	}
	return b
}

func (b *browser) get(path string, header ...string) *httptest.ResponseRecorder {
	return b.do(httptest.NewRequestWithContext(b.w.t.Context(), http.MethodGet, path, nil), header...)
}

func (b *browser) post(path string, form url.Values, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(b.w.t.Context(), http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(r, header...)
}

func (b *browser) do(r *http.Request, header ...string) *httptest.ResponseRecorder {
	r.Header.Set("Accept-Language", b.language)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	answer := httptest.NewRecorder()
	b.w.service.Handler().ServeHTTP(answer, r)
	b.overt.WriteString(r.URL.String() + "\n" + answer.Header().Get("Location") + "\n" + strings.Join(answer.Header().Values("Set-Cookie"), "\n") + "\n")
	for _, c := range answer.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	return answer
}

func (w *world) api(method, path, secret, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(w.t.Context(), method, "/api/v1"+path, strings.NewReader(body))
	if secret != "" {
		r.Header.Set("Authorization", "Bearer "+secret)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer := httptest.NewRecorder()
	w.service.Handler().ServeHTTP(answer, r)
	return answer
}

func with(base url.Values, pairs ...string) url.Values {
	out := maps.Clone(base)
	for i := 0; i+1 < len(pairs); i += 2 {
		out.Set(pairs[i], pairs[i+1])
	}
	return out
}

func form(pairs ...string) url.Values { return with(url.Values{}, pairs...) }

func doctor() *directoryv1.Account {
	return &directoryv1.Account{
		Id: "0192f0c1-0000-7000-8000-0000000000a1", Login: "township", Name: "李医生", OrganizationId: townshipID, OrganizationName: "白沙镇卫生院",
		County: "450321", Roles: []commonv1.Role_Code{commonv1.Role_TOWNSHIP_DOCTOR}, Phone: "0773-8880001",
	}
}

func clerk() *directoryv1.Account {
	return &directoryv1.Account{
		Id: "0192f0c1-0000-7000-8000-0000000000a2", Login: "desk", Name: "周护士", OrganizationId: hospitalID, OrganizationName: "阳朔县人民医院",
		County: "450321", Roles: []commonv1.Role_Code{commonv1.Role_INTAKE_DESK},
	}
}
