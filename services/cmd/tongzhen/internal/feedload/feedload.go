// Package feedload invents what a hospital's systems send over HL7 v2 and sends it. It owns the messages, of which a known part is broken,
// and what is to become of each; it refuses to look into any database: whoever runs it holds the outcome against the report.
//
// The same seed makes the same messages. The people in them do not exist: their identity numbers are of a region that does not exist.
package feedload

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"time"
)

// Message is one that is sent, and what it must be answered.
type Message struct {
	Text string
	// Good ones are stored (AA), others kept in quarantine (AE).
	Good bool
	// Lane keeps the messages of one patient in order: each lane is one connection.
	Lane int
	// Entries are the identities of the clinical entries that a good one makes or changes.
	Entries []string
}

const (
	// brokenEvery is how often a message is broken: 5 %.
	brokenEvery = 20
	perPatient  = 10
)

// Messages are n of them over a number of lanes: admissions, transfers, discharges, registrations and laboratory reports.
func Messages(n, lanes int, seed uint64, start time.Time) []Message {
	random := rand.New(rand.NewPCG(seed, 1))
	out := make([]Message, 0, n)
	for i := range n {
		g := generator{number: i, patient: i / perPatient, at: start.Add(time.Duration(i) * time.Second), random: random}
		m := g.good(i % perPatient)
		if i%brokenEvery == brokenEvery-1 {
			m = g.broken(i / brokenEvery)
		}
		m.Lane = g.patient % lanes
		out = append(out, m)
	}
	return out
}

type generator struct {
	number, patient int
	at              time.Time
	random          *rand.Rand
}

func (g generator) header(kind string) string {
	return fmt.Sprintf(`MSH|^~\&|HIS|YSX|TZ|450321|%s||%s|M%07d|P|2.4||||||UNICODE UTF-8`, g.at.Format("20060102150405"), kind, g.number)
}

// IdentityNumber of the invented patient k: region 990122, and a check digit that is right.
func IdentityNumber(k int) string {
	body := fmt.Sprintf("990122%04d%02d%02d%03d", 1940+k%60, 1+k/60%12, 1+k/720%28, k/20160%1000)
	sum := 0
	for i, weight := range []int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2} {
		sum += weight * int(body[i]-'0')
	}
	return body + "10X98765432"[sum%11:sum%11+1]
}

func (g generator) person() string {
	surnames, given := []rune("王李张刘陈杨黄赵吴周莫秦"), []rune("小明红伟芳娜敏静丽强磊军洋勇艳")
	name := string([]rune{surnames[g.patient%len(surnames)], '^', given[g.patient/7%len(given)], given[g.patient/91%len(given)]})
	return fmt.Sprintf("PID|1||B%06d^^^YSX^MR~%s^^^^NI||%s||||||白沙镇^^阳朔县||138%08d", g.patient, IdentityNumber(g.patient), name, g.patient)
}

func (g generator) visit(class, tail string) string {
	return "PV1|1|" + class + "|NK1" + strings.Repeat("|", 16) + "V" + strconv.Itoa(g.patient) + tail
}

func message(segments ...string) string { return strings.Join(segments, "\r") + "\r" }

// good is the step-th message about a patient: admitted, transferred, results, discharged with its way.
func (g generator) good(step int) Message {
	visit := "visit:V" + strconv.Itoa(g.patient)
	adt := func(event, class, tail string, more ...string) Message {
		text := append([]string{g.header("ADT^" + event), "EVN|" + event + "|" + g.at.Format("20060102150405"), g.person(), g.visit(class, tail)}, more...)
		return Message{Text: message(text...), Good: true, Entries: []string{visit}}
	}
	switch step {
	case 0:
		return adt("A01", "I", "")
	case 1:
		return adt("A02", "I", "")
	case 8:
		return adt("A03", "I", strings.Repeat("|", 17)+"3", "DG1|1||I63.900^脑梗死^I10|||A")
	case 9:
		return adt("A08", "I", strings.Repeat("|", 25)+g.at.Format("200601021504"))
	}
	return g.report()
}

func (g generator) report() Message {
	number := "HIS:L" + strconv.Itoa(g.number)
	m := Message{Good: true, Entries: []string{"report:" + number}}
	segments := []string{g.header("ORU^R01"), g.person(), fmt.Sprintf("OBR|1||L%d|BIO^生化|||%s|||||||||||||||||LAB|F", g.number, g.at.Format("20060102150405"))}
	for i, item := range []string{"2345-7^葡萄糖^LN", "2160-0^肌酐^LN", "2823-3^钾^LN", "CRP^C反应蛋白"} {
		segments = append(segments, fmt.Sprintf("OBX|%d|NM|%s||%.1f|mmol/L|1-10||||F", i+1, item, 1+9*g.random.Float64()))
		code, _, _ := strings.Cut(item, "^")
		m.Entries = append(m.Entries, "result:"+number+":"+code+":")
	}
	m.Text = message(segments...)
	return m
}

// broken is the k-th broken message; there are ten kinds.
func (g generator) broken(k int) Message {
	admission := []string{g.header("ADT^A01"), g.person(), g.visit("I", "")}
	with := func(i int, text string) string {
		segments := append([]string(nil), admission...)
		segments[i] = text
		return message(segments...)
	}
	texts := []string{
		with(0, g.header("ADT^A99")),
		with(0, strings.Replace(g.header("ADT^A01"), fmt.Sprintf("|M%07d|", g.number), "||", 1)),
		with(1, "PID|1||||王^无"),
		with(1, strings.Replace(g.person(), IdentityNumber(g.patient), "990122194013010000", 1)),
		with(1, "PID|1||B"+strconv.Itoa(g.patient)),
		with(2, strings.Replace(g.visit("I", ""), "NK1", "ICU9", 1)),
		with(2, g.visit("I", strings.Repeat("|", 25)+"20261399")),
		with(2, "PV1|1|Q|NK1"+strings.Repeat("|", 16)+"V9"),
		message(g.header("ORU^R01"), g.person(), "OBX|1|NM|GLU||1"),
		with(1, "PID|1||B1||\xff\xfe"),
	}
	return Message{Text: texts[k%len(texts)]}
}

// Report is what was answered.
type Report struct {
	Stored, Quarantined int
	// Wrong are answers that are not as they must be, by the message's number; at most ten are told.
	Wrong []string
	Took  time.Duration
}

// Send sends all over as many connections as there are lanes, awaits every acknowledgement and, of every again-th message, one more for the
// same message sent again (0: none). The time is that of clock.
func Send(ctx context.Context, addr string, messages []Message, again int, now func() time.Time) (Report, error) {
	lanes := map[int][]int{}
	for i, m := range messages {
		lanes[m.Lane] = append(lanes[m.Lane], i)
	}
	type outcome struct {
		Report
		err error
	}
	done := make(chan outcome, len(lanes))
	begin := now()
	for _, numbers := range lanes {
		go func() {
			var o outcome
			o.err = o.lane(ctx, addr, messages, numbers, again)
			done <- o
		}()
	}
	var all Report
	var failed []error
	for range lanes {
		o := <-done
		all.Stored, all.Quarantined, all.Wrong = all.Stored+o.Stored, all.Quarantined+o.Quarantined, append(all.Wrong, o.Wrong...)
		failed = append(failed, o.err)
	}
	all.Took = now().Sub(begin)
	return all, errors.Join(failed...)
}

func (r *Report) lane(ctx context.Context, addr string, messages []Message, numbers []int, again int) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	reader := bufio.NewReader(conn)
	for _, i := range numbers {
		times := 1
		if again > 0 && i%again == 0 {
			times = 2
		}
		for n := range times {
			ack, err := exchange(conn, reader, messages[i].Text)
			if err != nil {
				return fmt.Errorf("message %d: %w", i, err)
			}
			r.count(i, messages[i].Good, ack, n > 0)
		}
	}
	return nil
}

func (r *Report) count(number int, good bool, ack string, repeated bool) {
	stored, kept := strings.Contains(ack, "\rMSA|AA|"), strings.Contains(ack, "\rMSA|AE|")
	switch {
	case stored != good || kept == good:
		if len(r.Wrong) < 10 {
			r.Wrong = append(r.Wrong, fmt.Sprintf("message %d: stored %t, kept %t, must be stored: %t", number, stored, kept, good))
		}
	case repeated:
	case stored:
		r.Stored++
	default:
		r.Quarantined++
	}
}

func exchange(conn net.Conn, reader *bufio.Reader, text string) (string, error) {
	if _, err := conn.Write([]byte("\x0b" + text + "\x1c\r")); err != nil {
		return "", err
	}
	ack, err := reader.ReadString('\x1c')
	if err != nil {
		return "", err
	}
	_, err = reader.ReadByte()
	return ack, err
}
