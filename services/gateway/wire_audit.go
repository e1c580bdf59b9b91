package gateway

import (
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/audit"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// auditPages are the auditor's.
func auditPages(mux shell.Mux, _ Config, deps Deps, sh *shell.Shell) error {
	pages, err := audit.New(audit.Deps{
		Shell: sh, Trail: deps.Conns.Trail(), Directory: directoryv1.NewDirectoryServiceClient(deps.Conns.Directory),
		Exports: patientrecordv1.NewExportServiceClient(deps.Conns.PatientRecord), Index: patientrecordv1.NewPatientIndexServiceClient(deps.Conns.PatientRecord),
		Cache: deps.Cache, Ring: deps.Ring,
	})
	if err != nil {
		return err
	}
	pages.Routes(mux)
	return nil
}
