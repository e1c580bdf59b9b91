package document

import (
	"bytes"
	"compress/zlib"
	"errors"
	"io"
	"slices"
	"strconv"
)

// maxInflated bounds what all object streams of a file may unfold to.
const maxInflated = 32 << 20

// maxFromEnd is how far from its end a PDF says that it ends.
const maxFromEnd = 1024

// named are the names that make a PDF unwelcome, wherever they stand: a document needs none of them.
func named(name string) Cause {
	switch name {
	case "Encrypt":
		return PDFEncrypted
	case "JavaScript", "JS", "Launch", "GoToR", "GoToE", "SubmitForm", "ImportData", "Rendition", "RichMedia", "Movie", "Sound", "3D":
		return PDFActive
	case "EmbeddedFile", "EmbeddedFiles", "Filespec", "Collection", "FFilter":
		return PDFEmbedded
	case "XFA":
		return PDFForm
	}
	return ""
}

// CheckPDF reads a whole PDF, object by object as its bytes stand, not by its cross-reference table: so no two readers can see different
// objects in it. Object streams are unfolded. It answers how many pages there are. Refused is what is encrypted, acts, carries files or a
// dynamic form, and what does not follow the standard so far that a reader would have to guess.
//
// A link may stay, for half of all printed web pages and letters have one: an action that opens an address (S is URI) and does nothing else,
// written out as the value of A, so that somebody must click, with an address that begins with http://, https://, mailto: or tel:. A URI
// anywhere else acts: one that opens by itself (OpenAction, AA), goes on (Next), stands as an object of its own, where it is not known who
// points to it, or has another scheme (javascript:, file:).
func CheckPDF(data []byte) (pages int, err error) {
	p := pdf{}
	if err := p.walk(lexer{data: data}, true); err != nil {
		return 0, p.refusal()
	}
	if p.found == "" {
		p.unfold()
	}
	if p.found != "" || !p.catalog || p.pages == 0 || !ends(data) {
		return 0, p.refusal()
	}
	return p.pages, nil
}

// pdf is what the walk through a file found.
type pdf struct {
	found   Cause
	catalog bool
	pages   int
	folded  []folded
}

// folded is an object stream as it stands in the file.
type folded struct {
	data    []byte
	filters []string
}

var errBroken = errors.New("not a PDF that one can rely on")

func (p *pdf) refusal() error {
	if p.found != "" {
		return refuse(p.found)
	}
	return refuse(PDFBroken)
}

// see takes the next name into account. Encryption explains everything else that is wrong.
func (p *pdf) see(before, name string) {
	if c := named(name); c != "" && p.found != PDFEncrypted && (p.found == "" || c == PDFEncrypted) {
		p.found = c
	}
	if before == "Type" {
		p.catalog = p.catalog || name == "Catalog"
		if name == "Page" {
			p.pages++
		}
	}
}

// walk reads tokens to the end. In a file there are streams, in an unfolded object stream there are none.
func (p *pdf) walk(l lexer, streams bool) error {
	var d dictionary
	var urls links
	before := ""
	for {
		t, err := l.next()
		if err != nil {
			return err
		}
		switch {
		case t.kind == endOfData:
			if len(d.open) > 0 {
				return errBroken
			}
			return nil
		case t.kind == nameToken:
			p.see(before, t.text)
			before = t.text
		default:
			before = ""
		}
		if t.kind == wordToken && !known(t.text) {
			return errBroken
		}
		if t.kind == wordToken && t.text == "stream" {
			if !streams || len(d.open) > 0 {
				return errBroken
			}
			if err := p.stream(&l, d); err != nil {
				return err
			}
			continue
		}
		if err := d.take(t); err != nil {
			return err
		}
		if urls.take(t); urls.wrong && p.found == "" {
			p.found = PDFActive
		}
	}
}

// known are the words of PDF outside its content streams.
func known(word string) bool {
	return slices.Contains([]string{"obj", "endobj", "stream", "endstream", "xref", "trailer", "startxref", "R", "n", "f", "true", "false", "null"}, word)
}

// stream goes past a stream's data and keeps it if objects are folded in it.
func (p *pdf) stream(l *lexer, d dictionary) error {
	data, err := l.streamData(d.length)
	if err != nil || hidesObject(data) {
		return errBroken
	}
	if d.has["F"] {
		p.see("", "Filespec") // the data is in another file
	}
	// The type may be left out or stand elsewhere; what only object streams have tells them too.
	if d.kind == "ObjStm" || d.has["N"] && d.has["First"] {
		if d.has["DecodeParms"] || d.has["DP"] || d.has["Filter"] && len(d.filters) == 0 {
			return errBroken
		}
		p.folded = append(p.folded, folded{data, d.filters})
	}
	return nil
}

// unfold walks through all object streams.
func (p *pdf) unfold() {
	left := maxInflated
	for _, f := range p.folded {
		data := f.data
		switch {
		case len(f.filters) == 0:
		case len(f.filters) == 1 && (f.filters[0] == "FlateDecode" || f.filters[0] == "Fl"):
			r, err := zlib.NewReader(bytes.NewReader(f.data))
			if err == nil {
				data, err = io.ReadAll(io.LimitReader(r, int64(left)+1))
			}
			if err != nil {
				p.pages, p.catalog = 0, false
				return
			}
		default:
			p.pages, p.catalog = 0, false
			return
		}
		left -= len(data)
		if left < 0 || p.walk(lexer{data: data}, false) != nil {
			p.pages, p.catalog = 0, false
			return
		}
	}
}

// hidesObject tells whether something in a stream's data looks like the beginning of an object, which a reader that rebuilds a broken
// table would find. Compressed data does so once in millions of files.
func hidesObject(data []byte) bool {
	for at := 0; ; at += 3 {
		next := bytes.Index(data[at:], []byte("obj"))
		if next < 0 {
			return false
		}
		at += next
		before := data[:at]
		if one, ok := number(before); ok {
			if _, ok := number(one); ok {
				return true
			}
		}
	}
}

// number takes blanks and digits before them off the end.
func number(data []byte) (rest []byte, ok bool) {
	blanks := bytes.TrimRightFunc(data, func(r rune) bool { return r < 0x80 && blank(byte(r)) })
	digits := bytes.TrimRight(blanks, "0123456789")
	return digits, len(blanks) < len(data) && len(digits) < len(blanks)
}

// ends tells whether the file's end says where its table is, and there is one.
func ends(data []byte) bool {
	tail := data[max(0, len(data)-maxFromEnd):]
	at := bytes.LastIndex(data, []byte("startxref"))
	if !bytes.Contains(tail, []byte("%%EOF")) || at < 0 {
		return false
	}
	l := lexer{data: data, at: at + len("startxref")}
	t, err := l.next()
	if err != nil || t.kind != numberToken {
		return false
	}
	offset, err := strconv.Atoi(t.text)
	if err != nil || offset < 0 || offset >= len(data) {
		return false
	}
	l.at = offset
	t, err = l.next()
	return err == nil && (t.kind == wordToken && t.text == "xref" || t.kind == numberToken)
}
