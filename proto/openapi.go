// Package proto holds the contracts: messages, methods and facts of every service, and the REST description made from
// them. It is the only module that a client needs.
package proto

import _ "embed"

// OpenAPI is the description of the REST interface (Swagger 2.0, JSON), generated from the .proto files.
//
//go:embed gen/openapi/tongzhen.swagger.json
var OpenAPI []byte
