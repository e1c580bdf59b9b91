package gateway

import (
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/access"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// accessPages are those of who may look, and their review; of what patients agreed to, and of what leaves.
func accessPages(mux shell.Mux, cfg Config, deps Deps, sh *shell.Shell) error {
	pages, err := access.New(access.Deps{
		Shell: sh, Record: patientrecordv1.NewPatientRecordServiceClient(deps.Conns.PatientRecord),
		Access: patientrecordv1.NewAccessServiceClient(deps.Conns.PatientRecord),
	})
	if err != nil {
		return err
	}
	pages.Routes(mux)
	return consentPages(mux, cfg, deps, sh)
}
