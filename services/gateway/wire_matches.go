package gateway

import (
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/matches"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// matchPages are those on which it is said who is who.
func matchPages(mux shell.Mux, _ Config, deps Deps, sh *shell.Shell) error {
	pages, err := matches.New(matches.Deps{
		Shell: sh, Record: patientrecordv1.NewPatientRecordServiceClient(deps.Conns.PatientRecord),
		Index: patientrecordv1.NewPatientIndexServiceClient(deps.Conns.PatientRecord),
	})
	if err != nil {
		return err
	}
	pages.Routes(mux)
	return nil
}
