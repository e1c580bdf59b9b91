package gateway

import (
	"net/http"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/files"
	"github.com/tongzhen/tongzhen/services/gateway/pages/attachments"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/gateway/rest"
)

func attachmentPages(mux shell.Mux, _ Config, deps Deps, sh *shell.Shell) error {
	pages, err := attachments.New(attachments.Deps{
		Shell: sh, Attachments: patientrecordv1.NewAttachmentServiceClient(deps.Conns.PatientRecord),
		Record: patientrecordv1.NewPatientRecordServiceClient(deps.Conns.PatientRecord), Referral: referralv1.NewReferralServiceClient(deps.Conns.Referral),
	})
	if err != nil {
		return err
	}
	pages.Routes(mux)
	return nil
}

// slowRoutes carry files: they have the deadline of a stream instead of a page's.
func slowRoutes(root *http.ServeMux, deps Deps, api, pages http.Handler) {
	for _, route := range []string{rest.UploadRoute, rest.ContentRoute} {
		root.Handle(route, files.Slow(api, deps.Clock))
	}
	for _, route := range []string{attachments.UploadRoute, attachments.ContentRoute} {
		root.Handle(route, files.Slow(pages, deps.Clock))
	}
}
