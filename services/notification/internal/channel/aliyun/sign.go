package aliyun

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// The headers of Aliyun's calls, version 3.
const (
	algorithm     = "ACS3-HMAC-SHA256"
	headerAction  = "x-acs-action"
	headerVersion = "x-acs-version"
	headerDate    = "x-acs-date"
	headerNonce   = "x-acs-signature-nonce"
	headerContent = "x-acs-content-sha256"
)

// Authorization signs a call with the key: all x-acs headers, the host and the content type count, with the body by its hash, which is the header
// x-acs-content-sha256. https://help.aliyun.com/zh/sdk/product-overview/v3-request-structure-and-signature
func Authorization(id, secret string, r *http.Request) string {
	headers := map[string]string{"host": r.Host}
	if r.Host == "" {
		headers["host"] = r.URL.Host
	}
	for name, values := range r.Header {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-acs-") || name == "content-type" {
			headers[name] = strings.TrimSpace(strings.Join(values, ","))
		}
	}
	names := make([]string, 0, len(headers))
	for name := range headers {
		names = append(names, name)
	}
	slices.Sort(names)
	var canonical strings.Builder
	canonical.WriteString(r.Method + "\n" + path(r.URL) + "\n" + encode(r.URL.Query()) + "\n")
	for _, name := range names {
		canonical.WriteString(name + ":" + headers[name] + "\n")
	}
	signed := strings.Join(names, ";")
	canonical.WriteString("\n" + signed + "\n" + headers[headerContent])
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(algorithm + "\n" + Hash(canonical.String())))
	return algorithm + " Credential=" + id + ",SignedHeaders=" + signed + ",Signature=" + hex.EncodeToString(mac.Sum(nil))
}

func path(u *url.URL) string {
	if p := u.EscapedPath(); p != "" {
		return p
	}
	return "/"
}

// encode is url.Values.Encode as RFC 3986 has it: a space is %20.
func encode(v url.Values) string { return strings.ReplaceAll(v.Encode(), "+", "%20") }

// Hash is how a body is named in the signature.
func Hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
