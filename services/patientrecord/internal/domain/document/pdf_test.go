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

func TestAPlainPDFIsKeptAsItCame(t *testing.T) {
	t.Parallel()
	for name, data := range map[string][]byte{
		"plain":                          plain(""),
		"a link inside the document":     plain("/OpenAction [3 0 R /Fit]"),
		"objects in a stream":            plain("", folded("<< /Producer (x) >>", "")),
		"a length that stands elsewhere": plain("", "<< /Length 6 0 R >>\nstream\nabc\nendstream", "3"),
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
		"opens an address":        {plain("", "<< /Type /Annot /A << /S /URI /URI (http://example.org) >> >>"), document.PDFActive},
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
		build("/Encrypt 1 0 R", "<< >>"), plain("")[:200], []byte("%PDF-1.4\n1 0 obj<</Length 5>>stream\nabcde\nendstream"),
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
