package gateway

import (
	"net/http"

	"github.com/tongzhen/tongzhen/services/internal/errs"
)

func notFound(http.ResponseWriter, *http.Request) error { return errs.NotFound("page") }
