package app

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain/document"
)

const (
	// defaultAttachments is the page size when none is asked for.
	defaultAttachments = 50
	// uploads that an account may begin in uploadsPer: a thick paper record photographed page by page.
	uploads    = 120
	uploadsPer = 10 * time.Minute
	// atOnce bounds how many files are decoded at the same moment: a photograph is 160 MB of pixels meanwhile.
	atOnce = 2
)

// Attachments are the use cases of documents. Safe for concurrent use.
type Attachments struct {
	app     *App
	scanner Scanner
	work    chan struct{}
}

// NewAttachments decides who may see what as a does.
func NewAttachments(a *App, s Scanner) *Attachments {
	return &Attachments{app: a, scanner: s, work: make(chan struct{}, atOnce)}
}

// NewAttachment is a document as somebody describes it.
type NewAttachment struct {
	Request Request
	Patient string
	Details domain.AttachmentDetails
	// Again: it is to be kept although a document with this content is there.
	Again bool
}

// Begin tells whether the caller may add this document, before its content is sent. Every refusal of Add but that of the content comes here.
func (s *Attachments) Begin(ctx context.Context, caller authn.Identity, in NewAttachment) error {
	p, _, err := s.app.open(ctx, caller, in.Patient, domain.LevelFull)
	if err != nil {
		return err
	}
	ok, wait, err := s.app.limiter.Allow(ctx, "attachment:"+caller.Subject, uploads, uploadsPer)
	if err == nil && !ok {
		limited := errs.New(errs.KindLimited, errs.ReasonRateLimited, "too many files in a short time", nil)
		limited.RetryAfter = wait
		return limited
	}
	return s.checked(ctx, caller, p.ID(), in.Details)
}

// checked refuses details that are wrong, and a referral that is not one of this patient.
func (s *Attachments) checked(ctx context.Context, caller authn.Identity, patient string, d domain.AttachmentDetails) error {
	if ps := d.Check(s.app.today()); len(ps) > 0 {
		return refused(ps, "")
	}
	if d.ReferralID == "" {
		return nil
	}
	standing, known, err := s.app.store.Standing(ctx, caller.County, d.ReferralID)
	if err == nil && !known {
		// A draft has no facts yet; its patient is asked for.
		if standing, _, err = s.app.referrals.Standing(ctx, d.ReferralID); err == nil {
			standing.PatientID, err = s.root(ctx, caller.County, standing.PatientID)
		}
	}
	if errs.KindOf(err) == errs.KindNotFound || err == nil && standing.PatientID != patient {
		return errs.Invalid(errs.Bad("referralId", errs.ReasonFieldUnknown))
	}
	return err
}

// root is the record that one leads to: itself, or what it was merged into.
func (s *Attachments) root(ctx context.Context, county, patient string) (string, error) {
	p, err := s.app.store.Patient(ctx, county, patient)
	return p.ID(), err
}

// Add keeps a document whose Begin passed. The request's body must tell the content, too. A content that the patient has already is
// ATTACHMENT_EXISTS with metadata "attachmentId", unless it is to be kept again.
func (s *Attachments) Add(ctx context.Context, caller authn.Identity, in NewAttachment, content []byte) (domain.Attachment, error) {
	if err := s.scanner.Scan(ctx, content); err != nil {
		return domain.Attachment{}, err
	}
	doc, err := s.made(ctx, content)
	if err != nil {
		return domain.Attachment{}, err
	}
	file := domain.AttachmentFile{
		MediaType: doc.MediaType, Size: len(doc.Content), Thumbnail: len(doc.Thumbnail),
		Width: doc.Width, Height: doc.Height, Pages: doc.Pages, SHA256: sha256.Sum256(doc.Content),
	}
	return s.once(ctx, command(caller, in.Request), func(u Unit) (domain.Attachment, error) {
		if !in.Again {
			// The patient's row is held: of two who send the same file at once one is told of the other's.
			if _, err := u.Patient(ctx, in.Patient); err != nil {
				return domain.Attachment{}, err
			}
			there, found, err := u.SameContent(ctx, in.Patient, file.SHA256)
			if err != nil {
				return domain.Attachment{}, err
			}
			if found {
				return domain.Attachment{}, errs.Conflict(errs.ReasonAttachmentExists, "a document has this content already").With("attachmentId", there.ID())
			}
		}
		added := domain.NewAttachment(id.New(), in.Patient, in.Details, file, writer(caller, u))
		u.PutAttachment(added, doc.Content, doc.Thumbnail)
		return added, nil
	})
}

// made waits for its turn: decoding needs memory.
func (s *Attachments) made(ctx context.Context, content []byte) (document.Document, error) {
	select {
	case s.work <- struct{}{}:
	case <-ctx.Done():
		return document.Document{}, ctx.Err()
	}
	defer func() { <-s.work }()
	doc, err := document.Make(content)
	var refusal *document.Refusal
	if errors.As(err, &refusal) {
		return document.Document{}, FileRefused(string(refusal.Cause))
	}
	return doc, err
}

// FileRefused is the error of a file that is not kept.
func FileRefused(cause string) error {
	return errs.Invalid(errs.Bad("file", errs.ReasonFileRefused, "cause", cause))
}

func writer(caller authn.Identity, u Unit) domain.Writer {
	return domain.Writer{Account: caller.Subject, Organization: caller.Organization, Now: u.Now()}
}

// AttachmentPage is a page of a list.
type AttachmentPage struct {
	Attachments []domain.Attachment
	// More tells that there are further ones.
	More bool
	// Withheld: see Sieve. Documents have no codes, so they are withheld of a child as a whole or not at all.
	Withheld Withheld
}

// Travelling is a page of what a referral of the patient would carry if it were submitted now: what was put to it, and what was added in the
// last domain.PackageSpan. referral is empty for one that is not written yet. Needs the whole record.
func (s *Attachments) Travelling(ctx context.Context, caller authn.Identity, f AttachmentFilter) (AttachmentPage, error) {
	if _, _, err := s.app.open(ctx, caller, f.Patient, domain.LevelFull); err != nil {
		return AttachmentPage{}, err
	}
	if f.Referrals == nil {
		f.Referrals = []string{}
	}
	f.Since = s.app.clk.Now().Add(-domain.PackageSpan)
	return s.List(ctx, caller, f)
}

// List is a page of a patient's attachments, newest first. At level PACKAGE these are those of referrals that give the caller's
// organisation a relation. The filter's Referrals narrow them.
func (s *Attachments) List(ctx context.Context, caller authn.Identity, f AttachmentFilter) (AttachmentPage, error) {
	see, err := s.sees(ctx, caller, f.Patient)
	if err != nil {
		return AttachmentPage{}, err
	}
	if f.Limit == 0 {
		f.Limit = defaultAttachments
	}
	f.Referrals = see.narrowed(f.Referrals)
	f.Limit++
	list, err := s.app.store.Attachments(ctx, caller.County, f)
	if err != nil {
		return AttachmentPage{}, err
	}
	out := AttachmentPage{Attachments: list}
	if len(list) == f.Limit {
		out.Attachments, out.More = list[:f.Limit-1], true
	}
	if see.sieve.child && len(list) > 0 {
		out = AttachmentPage{Withheld: Withheld{Count: len(out.Attachments), Child: true}}
	}
	return out, s.app.store.Audit(ctx, caller.County, see.sieve.with(look(caller, "attachment.list", f.Patient)))
}

// sight is which attachments of a patient a caller may see.
type sight struct {
	// patient is the record that the one that was asked for leads to.
	patient   string
	all       bool
	referrals []string
	sieve     *Sieve
}

func (s sight) narrowed(asked []string) []string {
	if s.all {
		return asked
	}
	out := []string{}
	for _, r := range s.referrals {
		if asked == nil || among(asked, r) {
			out = append(out, r)
		}
	}
	return out
}

// sees tells whether the caller may open a document that is in packages of the carrying referrals.
func (s sight) sees(a domain.Attachment, carrying []string) bool {
	return s.all || a.Counts() && slices.ContainsFunc(append(carrying, a.Keep().Details.ReferralID), func(r string) bool { return among(s.referrals, r) })
}

func among(list []string, s string) bool { return s != "" && slices.Contains(list, s) }

func (s *Attachments) sees(ctx context.Context, caller authn.Identity, patient string) (sight, error) {
	p, level, err := s.app.open(ctx, caller, patient, domain.LevelPackage)
	if err != nil {
		return sight{}, err
	}
	out := sight{patient: p.ID(), all: level >= domain.LevelFull}
	if out.sieve, err = s.app.sieve(ctx, caller, p); err != nil || out.all {
		return out, err
	}
	_, held, err := s.app.levelOf(ctx, caller.County, patient, caller.Organization)
	if err != nil {
		return sight{}, err
	}
	now := s.app.clk.Now()
	for _, r := range held {
		if r.Kind == domain.Referral && r.Level >= domain.LevelPackage && r.Holds(now) {
			out.referrals = append(out.referrals, r.Source)
		}
	}
	return out, nil
}

// find is one of the patient's attachments that the caller may see, all versions, and the look to write down.
func (s *Attachments) find(ctx context.Context, caller authn.Identity, patient, attachment string) ([]domain.Attachment, Access, error) {
	see, err := s.sees(ctx, caller, patient)
	if err != nil {
		return nil, Access{}, err
	}
	versions, err := s.app.store.AttachmentVersions(ctx, caller.County, attachment)
	if err != nil {
		return nil, Access{}, err
	}
	carrying, err := s.app.store.CarriedBy(ctx, caller.County, attachment)
	if err != nil {
		return nil, Access{}, err
	}
	if versions[0].Keep().PatientID != see.patient || !see.sees(versions[0], carrying) {
		return nil, Access{}, errs.NotFound("attachment")
	}
	if see.sieve.child {
		return nil, Access{}, errs.Denied(errs.ReasonPurposeRequired).With("patientId", patient)
	}
	out := look(caller, "attachment.read", patient)
	out.ObjectType, out.ObjectID = "attachment", attachment
	return versions, see.sieve.with(out), nil
}

// Get is an attachment with its earlier versions, newest first.
func (s *Attachments) Get(ctx context.Context, caller authn.Identity, patient, attachment string) ([]domain.Attachment, error) {
	versions, look, err := s.find(ctx, caller, patient, attachment)
	if err != nil {
		return nil, err
	}
	look.Action = "attachment.metadata"
	return versions, s.app.store.Audit(ctx, caller.County, look)
}

// Opened is an attachment whose content may be read.
type Opened struct {
	Attachment domain.Attachment
	want       AttachmentContent
	county     string
	store      AttachmentStore
}

// Open lets the caller read the content, or the thumbnail; the look is written down before.
func (s *Attachments) Open(ctx context.Context, caller authn.Identity, patient, attachment string, thumbnail bool) (Opened, error) {
	versions, look, err := s.find(ctx, caller, patient, attachment)
	if err != nil {
		return Opened{}, err
	}
	file := versions[0].Keep().File
	if thumbnail {
		if look.Action = "attachment.thumbnail"; file.Thumbnail == 0 {
			return Opened{}, errs.NotFound("attachment")
		}
	}
	if err := s.app.store.Audit(ctx, caller.County, look); err != nil {
		return Opened{}, err
	}
	return Opened{
		Attachment: versions[0], county: caller.County, store: s.app.store, want: AttachmentContent{File: file, Thumbnail: thumbnail},
	}, nil
}

// Pieces hands over the content: see AttachmentStore.AttachmentContent.
func (o Opened) Pieces(ctx context.Context, take func(piece []byte) error) error {
	return o.store.AttachmentContent(ctx, o.county, o.Attachment.ID(), o.want, take)
}

// ChangedAttachment is a change of a document's metadata.
type ChangedAttachment struct {
	Request  Request
	Patient  string
	ID       string
	Version  int32
	Reason   string
	Details  domain.AttachmentDetails
	Mistaken bool // entered in error; Details do not count
}

// Change writes metadata anew, or marks the document as entered in error: by whoever added it, or a head, where it was added. Needs the whole
// record, and sees what it changes.
func (s *Attachments) Change(ctx context.Context, caller authn.Identity, in ChangedAttachment) (domain.Attachment, error) {
	p, _, err := s.app.open(ctx, caller, in.Patient, domain.LevelFull)
	if err != nil {
		return domain.Attachment{}, err
	}
	in.Patient = p.ID()
	if _, _, err := s.find(ctx, caller, in.Patient, in.ID); err != nil {
		return domain.Attachment{}, err
	}
	if !in.Mistaken {
		if err := s.checked(ctx, caller, in.Patient, in.Details); err != nil {
			return domain.Attachment{}, err
		}
	}
	return s.once(ctx, command(caller, in.Request), func(u Unit) (domain.Attachment, error) {
		old, err := u.Attachment(ctx, in.ID)
		if err != nil {
			return domain.Attachment{}, err
		}
		if by := actor(caller); old.Keep().Organization != by.Organization || old.Keep().Account != by.Account && !by.Head {
			return domain.Attachment{}, errs.Denied(errs.ReasonNotTheAuthor)
		}
		next, err := changed(old, in, writer(caller, u))
		if err != nil {
			return domain.Attachment{}, err
		}
		u.PutAttachment(next, nil, nil)
		return next, nil
	})
}

// once does it, or answers what the same request got before.
func (s *Attachments) once(ctx context.Context, cmd Command, do func(Unit) (domain.Attachment, error)) (domain.Attachment, error) {
	var kept domain.AttachmentKept
	err := s.app.store.Change(ctx, cmd, func(u Unit) error {
		found, err := u.Replayed(ctx, &kept)
		if err != nil || found {
			return err
		}
		done, err := do(u)
		if err != nil {
			return err
		}
		kept = done.Keep()
		return u.Replay(kept)
	})
	return domain.RestoreAttachment(kept), err
}

func changed(old domain.Attachment, in ChangedAttachment, by domain.Writer) (domain.Attachment, error) {
	k := old.Keep()
	switch {
	case k.PatientID != in.Patient:
		return domain.Attachment{}, errs.NotFound("attachment")
	case in.Version == 0:
		return domain.Attachment{}, errs.New(errs.KindInvalid, errs.ReasonVersionRequired, "the version is missing", nil)
	case k.Version != in.Version:
		return domain.Attachment{}, errs.Stale(k.Version, string(k.Status))
	case !old.Counts():
		return domain.Attachment{}, errs.WrongState("correct", string(k.Status))
	}
	next, ps := old.Correct(in.Details, in.Reason, by)
	if in.Mistaken {
		next, ps = old.EnterInError(in.Reason, by)
	}
	if len(ps) > 0 {
		return domain.Attachment{}, refused(ps, "")
	}
	return next, nil
}
