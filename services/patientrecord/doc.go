// Package patientrecord is the patient-record service: who the patients of a county are, what their clinical record says, and who may look.
//
// It owns the patient index, care relations, clinical entries (as given by registration, import and, later, hospital feeds) and
// hand-over packages. It refuses to own referrals (it follows their facts), accounts, and anything about beds or slots; it judges no
// clinical content.
//
// A referral that comes again after a return has another package; what the county hands back (the medicines of a reply or a down-referral)
// becomes entries of the record, asked of referral.GetHandedBack when a referral is concluded or its patient comes down.
//
// RPCs: RegisterPatient, GetPatient, SearchPatients, GetSummary, ListResults, GetPackage (clinicians), GetSnapshot (referral, scheduling and
// clinicians), GetClinicalValues (referral), ImportRecord (SYSTEM, INTEGRATION, the command line);
// RecordEntries, AmendEntry, CorrectEntry, MarkEnteredInError, GetEntry, ListEntryVersions, ListEntries, GetTrends (clinicians);
// AccessService: StatePurpose, BreakGlass, DeclareVisit (clinicians), ListGlasses, GetGlass, ReviewGlass (auditors, centre heads). Publishes
// patient_registered, encounter_opened, encounter_closed, encounter_cancelled, result_recorded and glass_broken. Consumes the referral facts
// that change a state or a party; asks
// RecordEntries, AmendEntry, CorrectEntry, MarkEnteredInError, GetEntry, ListEntryVersions, ListEntries, GetTrends (clinicians). Publishes
// patient_registered, encounter_opened, encounter_closed, encounter_cancelled and result_recorded. FeedService: AcceptMessage
// (gateway), AcceptRecords (INTEGRATION), quarantine (intake desk, heads; system administrators without content). Consumes the referral facts that change a state or a party; asks
// referral.GetRelation on a miss and referral.GetReferral for a package whose fact has not come.
//
// PatientIndexService: UpdatePatient, RevealPatient, FindLikelyPatients, FindAuditedPatients, ListMatches, GetMatch, DecideMatch, ListMerges, UnmergePatients
// (clinicians; who decides sees both records whole). Publishes patient_merged and patient_unmerged.
//
// As every service it answers AuditService (SearchAudit, VerifyAudit; auditors, the command line) about its own audit record.
//
// Invariants:
//  1. One identity number is one patient of a county.
//  2. Who may see a patient is decided by domain.LevelOf over care_relation and by nothing else. No relation and no such patient are told
//     alike; while the referral service is away an unknown relation is 503. That its centre is a patient's home counts for a village clinic
//     as if it were its own (store.concerns); no other relation of the centre does.
//  3. Nothing of a patient is answered before the audit entry about it is written.
//  4. Names, numbers, addresses and clinical content are sealed; what is searched by is a keyed hash. When the index key is exchanged
//     search goes by every key of the ring; search terms are made anew (reindex.go), what nobody keeps in plain stays under its key (store.Hashed).
//  5. An import is whole or not at all, and the same again changes nothing.
//  6. An entry's content never changes: another content is another version.
//  7. A referral's relations follow the newest standing, in whatever order its facts come.
//  8. A package is what the record said at submission, each entry by id and version; later entries do not change it. Each resubmission has
//     its own, and the ones before are kept.
//  9. An encounter is told when it opens and when it closes, if it is in the county and no older than domain.NewsSpan; what was told is told
//     again when it changes, and taken back when it never was. The same is never told twice in a row.
//  10. What is sensitive (sensitive/classes.yaml; everything about a patient under 14) is shown only by app.Sieve, after a stated purpose.
//  11. A merge moves no row: rows keep the record for which they were written, and whoever reads those of a patient reads the records of one
//     person (store.kin). What a person said of two records is not asked again.
//  12. A way around the care relation (AccessService: BreakGlass, DeclareVisit) is written down, told as glass_broken, and ends by itself; a registered
//     number alone opens nothing.
//  13. A message of another system is stored whole or kept in quarantine, once for a sender, control id and content; its content is kept,
//     sealed, only while it is in quarantine.
//  14. What somebody agreed to is put off, given and withdrawn at most once each, and nothing of it is overwritten. A consent that was
//     withdrawn counts at once: see domain.Standing.Grants and App.refusedSensitive.
//  15. What leaves is in the ledger before it is handed out; a row of the ledger never changes.
//
// What people write (domain/written.go): a change is a new version with who, where and why; what belongs to a visit or referral is sealed when that
// ends, and then only corrected with a reason by its author or the head, at the organisation where it was written.
//
// Consents (ConsentService; clinicians) and what leaves (ExportService): a referral's consent is asked of referral.GetReferralConsent when its
// facts come; publishes consent_given and consent_withdrawn. ReadCopy and RecordExport are for the gateway, which makes the document, and for
// the command line.
//
// Documents (AttachmentService: UploadAttachment and DownloadAttachment as streams, ListAttachments, GetAttachment, CorrectAttachment,
// MarkAttachmentEnteredInError; clinicians): a file is kept only as what domain/document made of it, in pieces sealed for their place; a
// piece that is missing or stands elsewhere is an error, never a shorter file. Nothing is deleted.
// Recognition (互认): RecognitionService, published as result_recognised and result_repeated. What is recognisable is decided by
// domain.Recognise over the county's catalogue and directions and by nothing else; an order of what is there is dropped or repeated for a reason;
// figures are what the orders say. Asks directory for the organisations once, then follows their facts.
package patientrecord
