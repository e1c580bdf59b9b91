package gateway

import (
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/recognition"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// recognitionPages are those of mutual recognition: orders, catalogue and figures.
func recognitionPages(mux shell.Mux, _ Config, deps Deps, sh *shell.Shell) error {
	pages, err := recognition.New(recognition.Deps{
		Shell: sh, Record: patientrecordv1.NewPatientRecordServiceClient(deps.Conns.PatientRecord),
		Recognition: patientrecordv1.NewRecognitionServiceClient(deps.Conns.PatientRecord),
	})
	if err != nil {
		return err
	}
	pages.Routes(mux)
	return nil
}
