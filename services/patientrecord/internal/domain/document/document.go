// Package document makes of a file that somebody sent a document that may be kept, or refuses it. It owns which types there are, told
// apart by content alone, and what is done to each: images are decoded and encoded anew, so that nothing of the file but its pixels
// remains; a PDF is checked for everything that acts. It refuses to repair.
//
// Pure: the standard library only, no I/O. What a file can cost is bounded before it is paid: pixels by the header, decompression by a
// sum over the whole file.
package document

// Types of documents.
const (
	JPEG = "image/jpeg"
	PNG  = "image/png"
	PDF  = "application/pdf"
)

// Limits of a file and of what is made of it.
const (
	// MaxBytes of a file, and of the document made of it.
	MaxBytes = 10 << 20
	// MaxPixels of an image as it came.
	MaxPixels = 40_000_000
	// MaxSide of an image as it is kept.
	MaxSide = 3000
	// ThumbnailSide is the longer side of a thumbnail.
	ThumbnailSide = 320
)

// Cause is why a file is refused; the names are those of the contract.
type Cause string

// Causes.
const (
	Type         Cause = "TYPE"
	HEIC         Cause = "HEIC"
	Empty        Cause = "EMPTY"
	TooLarge     Cause = "TOO_LARGE"
	Pixels       Cause = "PIXELS"
	ImageBroken  Cause = "IMAGE_BROKEN"
	PDFBroken    Cause = "PDF_BROKEN"
	PDFEncrypted Cause = "PDF_ENCRYPTED"
	PDFActive    Cause = "PDF_ACTIVE"
	PDFEmbedded  Cause = "PDF_EMBEDDED"
	PDFForm      Cause = "PDF_FORM"
)

// Refusal is the error of a file that cannot be kept. It tells nothing of the content.
type Refusal struct{ Cause Cause }

// Error names the cause.
func (r *Refusal) Error() string { return "file refused: " + string(r.Cause) }

func refuse(c Cause) error { return &Refusal{c} }

// Document is what is kept of a file.
type Document struct {
	MediaType string
	Content   []byte
	// Thumbnail is a small JPEG; nil for a PDF.
	Thumbnail []byte
	// Width and Height of an image, upright.
	Width, Height int
	// Pages of a PDF, as far as they can be counted.
	Pages int
}

// Make checks the file and makes a document of it. The error is a *Refusal. Content of a PDF is data itself.
func Make(data []byte) (Document, error) {
	switch mediaType, cause := Sniff(data); {
	case cause != "":
		return Document{}, refuse(cause)
	case len(data) > MaxBytes:
		return Document{}, refuse(TooLarge)
	case mediaType == PDF:
		pages, err := CheckPDF(data)
		if err != nil {
			return Document{}, err
		}
		return Document{MediaType: PDF, Content: data, Pages: pages}, nil
	default:
		return encodeAnew(data, mediaType)
	}
}

// Sniff tells the type by the first bytes, or why there is none.
func Sniff(data []byte) (mediaType string, cause Cause) {
	has := func(at int, magic string) bool {
		return len(data) >= at+len(magic) && string(data[at:at+len(magic)]) == magic
	}
	switch {
	case len(data) == 0:
		return "", Empty
	case has(0, "\xff\xd8\xff"):
		return JPEG, ""
	case has(0, "\x89PNG\r\n\x1a\n"):
		return PNG, ""
	case has(0, "%PDF-"):
		return PDF, ""
	case has(4, "ftyphei"), has(4, "ftyphev"), has(4, "ftypmif1"), has(4, "ftypmsf1"), has(4, "ftypavif"):
		return "", HEIC
	}
	return "", Type
}
