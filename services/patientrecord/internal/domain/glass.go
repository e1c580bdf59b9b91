package domain

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Way is how somebody came to see a patient with whom the organisation had nothing to do.
type Way string

// Ways. A visit is what a desk says of a patient who stands there with the card; breaking the glass needs no patient, and is reviewed.
const (
	BrokenGlass Way = "BREAK_GLASS"
	Visit       Way = "VISIT"
)

// Reasons for breaking the glass.
const (
	GlassEmergency    = "EMERGENCY"
	GlassUnconscious  = "UNCONSCIOUS"
	GlassConsultation = "CONSULTATION"
	GlassPublicHealth = "PUBLIC_HEALTH"
	GlassOther        = "OTHER"
)

// GlassNoteLength is how few characters a reason may have.
const GlassNoteLength = 6

// GlassVerdict is what a reviewer thinks of a use.
type GlassVerdict string

// Verdicts. Asks: the reviewer wants to know more; the use stays under review.
const (
	Justified    GlassVerdict = "JUSTIFIED"
	NotJustified GlassVerdict = "NOT_JUSTIFIED"
	Asks         GlassVerdict = "ASKS"
)

// ReviewWithin is how long a review may take before it is overdue.
const ReviewWithin = 3 * 24 * time.Hour

// Glass is one use of a way around the care relation: who, whose record, why, how long, and what reviewers say of it.
type Glass struct {
	ID           string
	Version      int32
	PatientID    string
	Account      string
	AccountName  string
	Organization string
	// Home is the patient's home centre at that time; may be empty.
	Home    string
	Way     Way
	Reason  string
	Note    string
	From    time.Time
	To      time.Time
	Reviews []Review
}

// Review is one verdict; the last one counts.
type Review struct {
	Verdict      GlassVerdict
	Note         string
	Account      string
	AccountName  string
	Organization string
	Time         time.Time
}

// Format prints the id in every verb.
func (g Glass) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "glass %s", g.ID) }

// CheckGlass tells what is wrong with a reason as it was typed.
func CheckGlass(reason, note string) Problems {
	var ps Problems
	switch reason {
	case "":
		ps.add("reason", ReasonRequired, "")
	case GlassEmergency, GlassUnconscious, GlassConsultation, GlassPublicHealth, GlassOther:
	default:
		ps.add("reason", ReasonUnknown, "")
	}
	if note = strings.TrimSpace(note); note == "" {
		ps.add("note", ReasonRequired, "")
	} else if utf8.RuneCountInString(note) < GlassNoteLength {
		ps.add("note", ReasonInvalid, "")
	}
	return ps
}

// Holds reports whether the use shows the record to its account at the given moment.
func (g Glass) Holds(at time.Time) bool {
	return g.Way == BrokenGlass && !g.From.After(at) && g.To.After(at)
}

// Emergency reports whether the reason shows what is sensitive, too.
func (g Glass) Emergency() bool {
	return g.Way == BrokenGlass && (g.Reason == GlassEmergency || g.Reason == GlassUnconscious)
}

// Verdict is the last one; empty when nobody reviewed it.
func (g Glass) Verdict() GlassVerdict {
	if len(g.Reviews) == 0 {
		return ""
	}
	return g.Reviews[len(g.Reviews)-1].Verdict
}

// Open reports whether a verdict is waited for.
func (g Glass) Open() bool {
	return g.Way == BrokenGlass && g.Verdict() != Justified && g.Verdict() != NotJustified
}

// Due is when the verdict is due.
func (g Glass) Due() time.Time { return g.From.Add(ReviewWithin) }

// Overdue reports whether the verdict should be there by now.
func (g Glass) Overdue(at time.Time) bool { return g.Open() && at.After(g.Due()) }

// Judge adds a verdict. A verdict that blames or asks says why.
func (g Glass) Judge(r Review) (Glass, Problems) {
	var ps Problems
	r.Note = strings.TrimSpace(r.Note)
	switch r.Verdict {
	case Justified:
	case NotJustified, Asks:
		if r.Note == "" {
			ps.add("note", ReasonRequired, "")
		}
	case "":
		ps.add("verdict", ReasonRequired, "")
	default:
		ps.add("verdict", ReasonUnknown, "")
	}
	if len(ps) > 0 {
		return g, ps
	}
	g.Reviews = append(g.Reviews[:len(g.Reviews):len(g.Reviews)], r)
	g.Version++
	return g, nil
}

// GlassRead is one thing that was read under a use, as the audit tells it: what and when, never what it said.
type GlassRead struct {
	Action, ObjectType string
	Time               time.Time
}
