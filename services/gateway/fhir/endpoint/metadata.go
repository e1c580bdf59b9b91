package endpoint

import (
	"net/http"
	"time"

	"github.com/tongzhen/tongzhen/services/gateway/fhir"
)

type interaction struct {
	Code          string `json:"code"`
	Documentation string `json:"documentation,omitempty"`
}

type searchParam struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

type capability struct {
	Type          string        `json:"type"`
	Documentation string        `json:"documentation,omitempty"`
	Interaction   []interaction `json:"interaction,omitempty"`
	SearchParam   []searchParam `json:"searchParam,omitempty"`
}

type restCapability struct {
	Mode     string `json:"mode"`
	Security struct {
		Description string `json:"description"`
	} `json:"security"`
	Resource    []capability  `json:"resource"`
	Interaction []interaction `json:"interaction"`
}

type capabilityStatement struct {
	ResourceType string           `json:"resourceType"`
	Status       string           `json:"status"`
	Date         string           `json:"date"`
	Kind         string           `json:"kind"`
	FHIRVersion  string           `json:"fhirVersion"`
	Format       []string         `json:"format"`
	Software     map[string]any   `json:"software"`
	Rest         []restCapability `json:"rest"`
}

// metadata answers what is served: the route table, and the types that bundles may hold.
func (e *endpoint) metadata(w http.ResponseWriter, _ *http.Request) error {
	rest := restCapability{Mode: "server"}
	rest.Security.Description = "Authorization: Bearer with the access token of POST /api/v1/sessions"
	byType := map[string]int{}
	for i, t := range fhir.Types() {
		byType[t] = i
		rest.Resource = append(rest.Resource, capability{Type: t, Documentation: "Stored from transactions and batches."})
	}
	for _, r := range routes() {
		for _, code := range r.interactions {
			one := interaction{code, r.note}
			if r.resource == "" {
				rest.Interaction = append(rest.Interaction, one)
				continue
			}
			to := &rest.Resource[byType[r.resource]]
			to.Interaction = append(to.Interaction, one)
			to.SearchParam = []searchParam{{"identifier", "token"}, {"name", "string"}, {"phone", "token"}}
		}
	}
	answer(w, http.StatusOK, capabilityStatement{
		ResourceType: "CapabilityStatement", Status: "active", Date: e.Began.UTC().Format(time.RFC3339), Kind: "instance", FHIRVersion: "4.0.1",
		Format: []string{"application/fhir+json"}, Software: map[string]any{"name": "Tongzhen"}, Rest: []restCapability{rest},
	})
	return nil
}
