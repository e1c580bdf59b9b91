package channeltest

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel"
)

// Opened is an adapter with its provider's simulator, fresh.
type Opened struct {
	Adapter   channel.Adapter
	Simulator *Simulator
	To        channel.Address
	// WrongKey is an adapter and an address of which one has a credential that the provider does not take; Key is what comes of it. Its address may have no
	// secret at all to be wrong.
	WrongKey channel.Adapter
	WrongTo  channel.Address
	Key      channel.Class
	// Malformed are addresses that are refused without a call.
	Malformed []channel.Address
	// Expect is what comes of a fault; "" is taken. What is missing is as of most.
	Expect map[Fault]channel.Class
	// Fills: the provider has the text itself, and gets its values.
	Fills bool
	// TakesID: the provider is given the message's id.
	TakesID bool
}

// usual is what comes of a fault over HTTP with an answer in JSON.
func usual() map[Fault]channel.Class {
	return map[Fault]channel.Class{
		TimeoutBefore: channel.Unknown, TimeoutAfter: channel.Unknown, HalfAnswer: channel.Unknown, Garbled: channel.Unknown, TooMany: channel.Limited,
		Unauthorized: channel.Setup, Forbidden: channel.Setup, Missing: channel.Setup, BusyTaken: channel.Unknown,
		Busy: channel.Unknown, BadAddress: channel.Refused, Broken: channel.Unknown, Redirect: channel.Setup,
	}
}

// patience is the deadline of a call that is to fail by it, and enough for one on this machine.
const patience = 400 * time.Millisecond

// Words of the suite's messages: no error may carry them.
const (
	words   = "急诊转诊 450321-26-0000123-4，请尽快处理。"
	subject = "通诊：急诊转诊"
)

// Message is a message as the suite sends it.
func Message(to channel.Address) channel.Message {
	return channel.Message{
		ID: id.New(), To: to, Subject: subject, Text: words, Template: "submitted", Values: map[string]string{"number": "450321-26-0000123-4"},
		Event: "submitted", Number: "450321-26-0000123-4", Link: "https://tongzhen.example/k/x", Time: clock.System().Now(),
	}
}

// Suite holds an adapter to the contract. open gives each test an adapter and a simulator of its own.
func Suite(t *testing.T, open func(t *testing.T) Opened) {
	for name, test := range map[string]func(*testing.T, Opened){
		"a message is taken once":                     taken,
		"every failure is told as what it is":         failures,
		"a provider that is not there is away":        away,
		"a wrong credential sends nothing":            wrongKey,
		"a malformed address is refused without call": malformed,
		"a repeat has the same id":                    repeated,
		"many send at once":                           atOnce,
		"the deadline is kept":                        deadline,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func taken(t *testing.T, o Opened) {
	if problems := o.Adapter.Check(o.To); len(problems) != 0 || o.Adapter.Provider(o.To) == "" {
		t.Errorf("%v, provider %q", problems, o.Adapter.Provider(o.To))
	}
	m := Message(o.To)
	receipt, err := o.Adapter.Send(t.Context(), m)
	if err != nil || receipt.Code == "" {
		t.Fatalf("%+v, %v", receipt, err)
	}
	got, says := o.Simulator.Taken(), m.Text
	if o.Fills {
		says = m.Number
	}
	if len(got) != 1 || !strings.Contains(got[0].Text, says) || o.TakesID && got[0].ID != m.ID || o.Simulator.Calls() != 1 {
		t.Errorf("taken %+v", got)
	}
}

func failures(t *testing.T, o Opened) {
	for fault, want := range usual() {
		if own, ok := o.Expect[fault]; ok {
			want = own
		}
		o.Simulator.Next(fault)
		before := o.Simulator.Calls()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		_, err := o.Adapter.Send(ctx, Message(o.To))
		cancel()
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v, want it taken", fault, err)
		case want != "" && (err == nil || channel.ClassOf(err).Class != want):
			t.Errorf("%s: %v, want %s", fault, err, want)
		}
		if calls := o.Simulator.Calls() - before; calls != 1 {
			t.Errorf("%s: %d calls", fault, calls)
		}
		quiet(t, o, err)
	}
	if _, err := o.Adapter.Send(t.Context(), Message(o.To)); err != nil {
		t.Errorf("after all failures: %v", err)
	}
}

// quiet: an error tells nothing of whom and what.
func quiet(t *testing.T, o Opened, err error) {
	t.Helper()
	if err == nil {
		return
	}
	for _, secret := range []string{o.To.Value, o.To.Secret, words, subject, MailPassword, SMSSecret, WeComSecret, "13800000000"} {
		if secret != "" && strings.Contains(err.Error(), secret) {
			t.Errorf("the error tells %q", secret)
		}
	}
}

func away(t *testing.T, o Opened) {
	o.Simulator.Close()
	_, err := o.Adapter.Send(t.Context(), Message(o.To))
	if err == nil || channel.ClassOf(err).Class != channel.Away {
		t.Errorf("%v", err)
	}
	quiet(t, o, err)
}

func wrongKey(t *testing.T, o Opened) {
	_, err := o.WrongKey.Send(t.Context(), Message(o.WrongTo))
	if err == nil || channel.ClassOf(err).Class != o.Key || len(o.Simulator.Taken()) != 0 {
		t.Errorf("%v, want %s; taken %v", err, o.Key, o.Simulator.Taken())
	}
	quiet(t, o, err)
}

func malformed(t *testing.T, o Opened) {
	for _, to := range append(o.Malformed, channel.Address{}) {
		if len(o.Adapter.Check(to)) == 0 {
			t.Errorf("%q passes", to.Value)
		}
		_, err := o.Adapter.Send(t.Context(), Message(to))
		if err == nil || channel.ClassOf(err).Class != channel.Refused {
			t.Errorf("%q: %v", to.Value, err)
		}
	}
	if n := o.Simulator.Calls(); n != 0 {
		t.Errorf("%d calls", n)
	}
}

func repeated(t *testing.T, o Opened) {
	m := Message(o.To)
	for range 2 {
		if _, err := o.Adapter.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	got := o.Simulator.Taken()
	if len(got) != 2 || o.TakesID && (got[0].ID != m.ID || got[1].ID != m.ID) {
		t.Errorf("%+v", got)
	}
}

func atOnce(t *testing.T, o Opened) {
	const many = 12
	var all sync.WaitGroup
	for range many {
		all.Go(func() {
			if _, err := o.Adapter.Send(t.Context(), Message(o.To)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := o.Simulator.Taken(); len(got) != many {
		t.Errorf("%d taken", len(got))
	}
}

func deadline(t *testing.T, o Opened) {
	o.Simulator.Next(TimeoutBefore)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	began := clock.System().Now()
	if _, err := o.Adapter.Send(ctx, Message(o.To)); err == nil {
		t.Error("taken")
	}
	if took := clock.System().Now().Sub(began); took > 10*patience {
		t.Errorf("took %s", took)
	}
}
