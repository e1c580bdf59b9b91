package document_test

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"strings"
	"testing"

	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain/document"
)

// build writes objects (numbered from 1) with a table and a trailer.
func build(trailer string, objects ...string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	offsets := make([]int, len(objects))
	for i, o := range objects {
		offsets[i] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	table := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, at := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, trailer, table)
	return b.Bytes()
}

// plain is a PDF of one page whose catalogue has more in it.
func plain(more string, further ...string) []byte {
	return build("", append([]string{
		"<< /Type /Catalog /Pages 2 0 R " + more + " >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>", "<< /Length 22 >>\nstream\nBT (\\)1 0 x) Tj ET    \nendstream",
	}, further...)...)
}

func deflated(text string) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.String()
}

// folded is an object stream with the objects.
func folded(objects, more string) string {
	data := deflated("10 0 " + objects)
	return fmt.Sprintf("<< /Type /ObjStm /N 1 /First 5 /Filter /FlateDecode /Length %d %s >>\nstream\n%s\nendstream", len(data), more, data)
}

// link is an annotation that opens an address when somebody clicks.
func link(address string) string {
	return "<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /Border [0 0 0] /A << /Type /Action /S /URI /URI " + address + " >> >>"
}

func TestAPlainPDFIsKeptAsItCame(t *testing.T) {
	t.Parallel()
	for name, data := range map[string][]byte{
		"plain":                          plain(""),
		"a link inside the document":     plain("/OpenAction [3 0 R /Fit]"),
		"objects in a stream":            plain("", folded("<< /Producer (x) >>", "")),
		"a length that stands elsewhere": plain("", "<< /Length 6 0 R >>\nstream\nabc\nendstream", "3"),
		"a link to click":                plain("", link("(https://example.org/a?b=\\(1\\))")),
		"a link to mail":                 plain("", link("(MAILTO:a@example.org)")),
		"a link in hexadecimal":          plain("", link("<687474703a2f2f 61>")),
		"a link in an object stream":     plain("", folded(link("(tel:+867738880001)"), "")),
		"a bookmark that is a link":      plain("", "<< /Title (x) /Parent 3 0 R /A << /URI (http://example.org) /S /URI >> >>"),
		"a comment at the end":           append(plain(""), "% made by a printer\n"...),
	} {
		d, err := document.Make(data)
		if err != nil || d.Pages != 1 || d.MediaType != document.PDF || !bytes.Equal(d.Content, data) {
			t.Errorf("%s: %d pages, %v", name, d.Pages, err)
		}
	}
}

func TestAPDFThatActsOrHidesSomethingIsRefused(t *testing.T) {
	t.Parallel()
	inflated := deflated(strings.Repeat(" ", 40<<20))
	for name, c := range map[string]struct {
		data []byte
		want document.Cause
	}{
		"JavaScript":              {plain("/OpenAction << /S /JavaScript /JS (app.alert(1)) >>"), document.PDFActive},
		"written otherwise":       {plain("/OpenAction << /S /J#61va#53cript >>"), document.PDFActive},
		"starts a program":        {plain("", "<< /S /Launch /F (cmd.exe) >>"), document.PDFActive},
		"a link that runs":        {plain("", link("(javascript:app.alert\\(1\\))")), document.PDFActive},
		"a link written in octal": {plain("", link(`(\152avascript:x)`)), document.PDFActive},
		"a link in hexadecimal":   {plain("", link("<66696c653a2f2f2f78>")), document.PDFActive},
		"a link to a file":        {plain("", link("(file:///c:/x)")), document.PDFActive},
		"an address elsewhere":    {plain("", link("6 0 R"), "(http://example.org)"), document.PDFActive},
		"two addresses":           {plain("", link("(http://a) /URI (javascript:x)")), document.PDFActive},
		"an address that goes on": {plain("", link("(http://a) /Next 3 0 R")), document.PDFActive},
		"opens an address":        {plain("/OpenAction << /S /URI /URI (http://example.org) >>"), document.PDFActive},
		"opens one with a page":   {plain("/AA << /O << /S /URI /URI (http://example.org) >> >>"), document.PDFActive},
		"AA with an A":            {plain("/AA << /A << /S /URI /URI (http://example.org) >> >>"), document.PDFActive},
		"opens one that follows":  {plain("/OpenAction << /S /GoTo /D [3 0 R /Fit] /Next << /S /URI /URI (http://a) >> >>"), document.PDFActive},
		"who points is unknown":   {plain("/OpenAction 5 0 R", "<< /S /URI /URI (http://example.org) >>"), document.PDFActive},
		"the kind is elsewhere":   {plain("", "<< /A << /S 6 0 R /URI (http://a) >> >>", "/URI"), document.PDFActive},
		"a key too few":           {plain("/OpenAction /A << /S /URI /URI (http://a) >>"), document.PDFActive},
		"several links":           {plain("/A [ << /S /URI /URI (http://a) >> ]"), document.PDFActive},
		"a base of addresses":     {plain("/URI << /Base (http://a) >>"), document.PDFActive},
		"a link beside a script":  {plain("/OpenAction << /S /JavaScript /JS (x) >>", link("(http://a)")), document.PDFActive},
		"in an object stream":     {plain("", folded("<< /S /JavaScript >>", "")), document.PDFActive},
		"in one without a type":   {plain("", strings.Replace(folded("<< /S /JavaScript >>", ""), "/Type /ObjStm", "", 1)), document.PDFActive},
		"type behind a reference": {plain("", strings.Replace(folded("<< /S /JavaScript >>", ""), "/ObjStm", "9 0 R", 1)), document.PDFActive},
		"files inside":            {plain("/Names << /EmbeddedFiles 5 0 R >>"), document.PDFEmbedded},
		"data elsewhere":          {plain("", "<< /Length 0 /F (other) >>\nstream\n\nendstream"), document.PDFEmbedded},
		"a dynamic form":          {plain("/AcroForm << /XFA 5 0 R >>"), document.PDFForm},
		"encrypted":               {build("/Encrypt 4 0 R", "<< /Type /Catalog >>", "<< /Type /Page >>", "<< /S /JavaScript >>", folded("x", "")), document.PDFEncrypted},
		"folded twice":            {plain("", strings.Replace(folded("<< >>", ""), "/Filter /FlateDecode", "/Filter [/ASCIIHexDecode /FlateDecode]", 1)), document.PDFBroken},
		"a filter elsewhere":      {plain("", strings.Replace(folded("<< >>", ""), "/Filter /FlateDecode", "/Filter 9 0 R", 1)), document.PDFBroken},
		"with a predictor":        {plain("", folded("<< >>", "/DecodeParms << /Predictor 12 >>")), document.PDFBroken},
		"an object in the data":   {plain("", "<< /Length 40 >>\nstream\n7 0 obj << /S /Launc >> endobj           \nendstream"), document.PDFBroken},
		"a bomb":                  {plain("", fmt.Sprintf("<< /Type /ObjStm /N 1 /First 0 /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream", len(inflated), inflated)), document.PDFBroken},
		"half of it":              {plain("")[:300], document.PDFBroken},
		"no page":                 {build("", "<< /Type /Catalog >>"), document.PDFBroken},
		"no table":                {bytes.Replace(plain(""), []byte("startxref\n"), []byte("startxref\n9"), 1), document.PDFBroken},
		"something behind it":     {append(plain(""), "<script>alert(1)</script>"...), document.PDFBroken},
		"an archive behind it":    {append(plain(""), "PK\x03\x04"...), document.PDFBroken},
		"brackets without end":    {plain("/X " + strings.Repeat("[", 300)), document.PDFBroken},
		"only a beginning":        {[]byte("%PDF-1.7"), document.PDFBroken},
	} {
		if _, err := document.Make(c.data); cause(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

func FuzzCheckPDF(f *testing.F) {
	for _, seed := range [][]byte{
		plain(""), plain("/OpenAction << /S /J#61vaScript /JS (x) >>"), plain("", folded("<< /Producer (x) >>", "")), plain("/X [ (a(b)\\)c) <48 65> ]"),
		build("/Encrypt 1 0 R", "<< >>"), plain("")[:200], plain("", link(`(http://a\053b)`)), plain("", folded(link("<6874>"), "")), []byte("%PDF-1.4\n1 0 obj<</Length 5>>stream\nabcde\nendstream"),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		pages, err := document.CheckPDF(data)
		if (err == nil) != (pages > 0) || err != nil && cause(err) == "" {
			t.Fatalf("%d pages, %v", pages, err)
		}
	})
}

// However an address is written, what is kept leads to the web, to mail or to a telephone.
func FuzzLink(f *testing.F) {
	for _, seed := range []string{"http://a", "javascript:x", "HTTPS://b/(c)\\", "mailto:", "tel:1", "java\nscript:", "\xfe\xff\x00h", "file:///"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, address string) {
		var octal, hex strings.Builder
		for i := range len(address) {
			fmt.Fprintf(&octal, "\\%03o", address[i])
			fmt.Fprintf(&hex, "%02x", address[i])
		}
		plainly := strings.NewReplacer(`\`, `\\`, "(", `\(`, ")", `\)`, "\r", `\r`).Replace(address)
		var verdicts []bool
		for _, written := range []string{"(" + octal.String() + ")", "<" + hex.String() + ">", "(" + plainly + ")"} {
			_, err := document.CheckPDF(plain("", link(written)))
			verdicts = append(verdicts, err == nil)
		}
		low := strings.ToLower(address)
		good := strings.HasPrefix(low, "http://") || strings.HasPrefix(low, "https://") || strings.HasPrefix(low, "mailto:") || strings.HasPrefix(low, "tel:")
		if verdicts[0] && !good || len(address) < 1000 && (verdicts[0] != verdicts[1] || verdicts[0] != verdicts[2]) {
			t.Fatalf("%q: %v", address, verdicts)
		}
	})
}
