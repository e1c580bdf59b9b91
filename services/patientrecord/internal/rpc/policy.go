package rpc

import (
	"maps"
	"slices"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/internal/authz"
)

// Policy is who may call what. Administrators and auditors see no records.
func Policy() authz.Table {
	clinicians := []string{"VILLAGE_DOCTOR", "TOWNSHIP_DOCTOR", "CENTRE_HEAD", "INTAKE_DESK", "SPECIALIST", "DEPARTMENT_HEAD", "BED_MANAGER"}
	clinical := authz.Rule{Roles: clinicians}
	whole, pack, own := clinical.Of(authz.Full), clinical.Of(authz.Package), clinical.Of(authz.Own)
	// Who may say that two records are one person: those who treat patients or keep the desk, not a village doctor alone.
	linking := authz.Rule{Roles: []string{"TOWNSHIP_DOCTOR", "CENTRE_HEAD", "INTAKE_DESK", "SPECIALIST", "DEPARTMENT_HEAD"}, Need: authz.Full}
	reviewers := authz.Rule{Roles: []string{"AUDITOR", "CENTRE_HEAD"}, Need: authz.Own}
	table := authz.Table{
		patientrecordv1.PatientIndexService_UpdatePatient_FullMethodName:      whole,
		patientrecordv1.PatientIndexService_RevealPatient_FullMethodName:      whole,
		patientrecordv1.PatientIndexService_FindLikelyPatients_FullMethodName: clinical,
		patientrecordv1.PatientIndexService_ListMatches_FullMethodName:        own,
		patientrecordv1.PatientIndexService_GetMatch_FullMethodName:           own,
		patientrecordv1.PatientIndexService_ListMerges_FullMethodName:         whole,
		patientrecordv1.PatientIndexService_DecideMatch_FullMethodName:        linking,
		patientrecordv1.PatientIndexService_UnmergePatients_FullMethodName:    linking,

		patientrecordv1.PatientRecordService_RegisterPatient_FullMethodName: clinical,
		patientrecordv1.PatientRecordService_GetPatient_FullMethodName:      pack,
		patientrecordv1.PatientRecordService_SearchPatients_FullMethodName:  own,
		patientrecordv1.PatientRecordService_GetSummary_FullMethodName:      whole,
		patientrecordv1.PatientRecordService_ListResults_FullMethodName:     whole,
		patientrecordv1.PatientRecordService_GetPackage_FullMethodName:      pack,
		patientrecordv1.PatientRecordService_GetSnapshot_FullMethodName: {
			Roles: clinicians, Services: []string{"referral", "scheduling"}, Need: authz.Package,
		},
		patientrecordv1.PatientRecordService_GetClinicalValues_FullMethodName: {Services: []string{"referral"}, Need: authz.Package},
		patientrecordv1.PatientRecordService_ImportRecord_FullMethodName: {
			Roles: []string{"SYSTEM", "INTEGRATION"}, Services: []string{"cli"},
		},

		patientrecordv1.ClinicalRecordService_RecordEntries_FullMethodName:      whole,
		patientrecordv1.ClinicalRecordService_AmendEntry_FullMethodName:         whole,
		patientrecordv1.ClinicalRecordService_CorrectEntry_FullMethodName:       whole,
		patientrecordv1.ClinicalRecordService_MarkEnteredInError_FullMethodName: whole,
		patientrecordv1.ClinicalRecordService_GetEntry_FullMethodName:           whole,
		patientrecordv1.ClinicalRecordService_ListEntryVersions_FullMethodName:  whole,
		patientrecordv1.ClinicalRecordService_ListEntries_FullMethodName:        whole,
		patientrecordv1.ClinicalRecordService_GetTrends_FullMethodName:          whole,

		patientrecordv1.AttachmentService_UploadAttachment_FullMethodName:             whole,
		patientrecordv1.AttachmentService_ListAttachments_FullMethodName:              pack,
		patientrecordv1.AttachmentService_GetAttachment_FullMethodName:                pack,
		patientrecordv1.AttachmentService_DownloadAttachment_FullMethodName:           pack,
		patientrecordv1.AttachmentService_CorrectAttachment_FullMethodName:            whole,
		patientrecordv1.AttachmentService_MarkAttachmentEnteredInError_FullMethodName: whole,
		patientrecordv1.AccessService_StatePurpose_FullMethodName:                     pack,
		patientrecordv1.AccessService_BreakGlass_FullMethodName:                       clinical,
		patientrecordv1.AccessService_DeclareVisit_FullMethodName:                     clinical.Of(authz.Card),
		// Reviewers see who looked at whom and why, never a record; a centre head those of the centre's patients only.
		patientrecordv1.AccessService_ListGlasses_FullMethodName: reviewers,
		patientrecordv1.AccessService_GetGlass_FullMethodName:    reviewers,
		patientrecordv1.AccessService_ReviewGlass_FullMethodName: reviewers,
	}
	maps.Copy(table, recognitionPolicy(clinical))
	maps.Copy(table, feedPolicy())
	maps.Copy(table, consentPolicy(clinicians))
	return table
}

// consentPolicy is who records consents, and what leaves. What of it a person may, the use cases tell apart.
func consentPolicy(clinicians []string) authz.Table {
	clinical := authz.Rule{Roles: clinicians}
	return authz.Table{
		patientrecordv1.ConsentService_RecordConsent_FullMethodName:         clinical,
		patientrecordv1.ConsentService_GiveConsent_FullMethodName:           clinical,
		patientrecordv1.ConsentService_WithdrawConsent_FullMethodName:       clinical,
		patientrecordv1.ConsentService_GetConsent_FullMethodName:            clinical,
		patientrecordv1.ConsentService_ListConsents_FullMethodName:          clinical,
		patientrecordv1.ConsentService_ListDeferredConsents_FullMethodName:  clinical,
		patientrecordv1.ConsentService_CountDeferredConsents_FullMethodName: clinical,
		patientrecordv1.ConsentService_GetContact_FullMethodName:            {Services: []string{"notification"}},
		patientrecordv1.ExportService_ReadCopy_FullMethodName:               clinical,
		patientrecordv1.ExportService_RecordExport_FullMethodName: {
			Roles: append(slices.Clone(clinicians), "COUNTY_ADMIN", "AUDITOR"), Services: []string{"cli"},
		},
		patientrecordv1.ExportService_ListExports_FullMethodName: {Roles: append(slices.Clone(clinicians), "AUDITOR")},
	}
}
