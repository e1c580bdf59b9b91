package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	factsStream      = "FACTS"
	deadLetterStream = "DEADLETTER"
	deadLetterRoot   = "deadletter"

	retention       = 14 * 24 * time.Hour
	duplicateWindow = 2 * time.Minute
	clusterReplicas = 3
)

// stream is one row of the table.
type stream struct {
	name     string
	subjects []string
	maxAge   time.Duration // 0: kept until somebody deals with it
}

// streams is every stream there is.
func streams() []stream {
	return []stream{
		{factsStream, []string{"referral.v1.>", "record.v1.>", "scheduling.v1.>", "directory.v1.>", "notification.v1.>"}, retention},
		{deadLetterStream, []string{deadLetterRoot + ".*"}, 0},
	}
}

// isFact says whether FACTS takes the subject, so that a wrong one is refused at once and not after a timeout.
func isFact(subject string) bool {
	tokens := strings.Split(subject, ".")
	if len(tokens) < 3 || slices.Contains(tokens, "") || strings.ContainsAny(subject, " \t\r\n*>") {
		return false
	}
	return slices.ContainsFunc(streams()[0].subjects, func(s string) bool {
		return strings.HasPrefix(subject, strings.TrimSuffix(s, ">"))
	})
}

// names puts the prefix before stream names and subjects, and takes it off again.
type names struct{ prefix string }

func (n names) stream(name string) string {
	if n.prefix == "" {
		return name
	}
	return n.prefix + "_" + name
}

func (n names) subject(s string) string {
	if n.prefix == "" {
		return s
	}
	return n.prefix + "." + s
}

func (n names) subjects(ss []string) []string {
	out := make([]string, len(ss))
	for i, s := range ss {
		out[i] = n.subject(s)
	}
	return out
}

func (n names) bare(subject string) string {
	if n.prefix == "" {
		return subject
	}
	return strings.TrimPrefix(subject, n.prefix+".")
}

// ensure creates what is missing and brings the rest up to date. What an operator set beside it stays, and a subject
// that a newer release added is not taken away by an older one that starts beside it.
func (b *natsBus) ensure(ctx context.Context, s stream) error {
	want := jetstream.StreamConfig{
		Name: b.names.stream(s.name), Subjects: b.names.subjects(s.subjects),
		Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardOld, Storage: jetstream.FileStorage,
		MaxAge: s.maxAge, Duplicates: duplicateWindow, Replicas: 1,
	}
	// Our own server syncs each message, but a batch once.
	want.AllowAtomicPublish = b.embedded != nil
	if b.conn.ConnectedClusterName() != "" {
		want.Replicas = clusterReplicas
	}
	existing, err := b.js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		if _, err = b.js.CreateStream(ctx, want); err == nil || !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			return wrap(err, "create stream %s", want.Name)
		}
		existing, err = b.js.Stream(ctx, want.Name) // somebody else was quicker
	}
	if err != nil {
		return wrap(err, "look up stream %s", want.Name)
	}
	have := existing.CachedInfo().Config
	next := have
	for _, subject := range want.Subjects {
		if !slices.Contains(next.Subjects, subject) {
			next.Subjects = append(slices.Clone(next.Subjects), subject)
		}
	}
	next.MaxAge, next.Duplicates = want.MaxAge, want.Duplicates
	next.Replicas = max(have.Replicas, want.Replicas)
	next.AllowAtomicPublish = have.AllowAtomicPublish || want.AllowAtomicPublish
	if len(next.Subjects) == len(have.Subjects) && next.MaxAge == have.MaxAge &&
		next.Duplicates == have.Duplicates && next.Replicas == have.Replicas &&
		next.AllowAtomicPublish == have.AllowAtomicPublish {
		return nil
	}
	_, err = b.js.UpdateStream(ctx, next)
	return wrap(err, "update stream %s", want.Name)
}

func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}
