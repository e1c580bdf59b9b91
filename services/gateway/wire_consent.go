package gateway

import (
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/copies"
	"github.com/tongzhen/tongzhen/services/gateway/pages/consents"
	"github.com/tongzhen/tongzhen/services/gateway/pages/exports"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// consentPages are those of consents, of a patient's own copy and of the ledger of exports.
func consentPages(mux shell.Mux, _ Config, deps Deps, sh *shell.Shell) error {
	record := patientrecordv1.NewPatientRecordServiceClient(deps.Conns.PatientRecord)
	consentPages, err := consents.New(consents.Deps{
		Shell: sh, Record: record, Consents: patientrecordv1.NewConsentServiceClient(deps.Conns.PatientRecord),
		Attachments: patientrecordv1.NewAttachmentServiceClient(deps.Conns.PatientRecord),
	})
	if err != nil {
		return err
	}
	consentPages.Routes(mux)
	ledger, directory := patientrecordv1.NewExportServiceClient(deps.Conns.PatientRecord), directoryv1.NewDirectoryServiceClient(deps.Conns.Directory)
	exportPages, err := exports.New(exports.Deps{Shell: sh, Record: record, Exports: ledger, Directory: directory, Maker: copies.New(ledger, directory)})
	if err != nil {
		return err
	}
	exportPages.Routes(mux)
	return nil
}
