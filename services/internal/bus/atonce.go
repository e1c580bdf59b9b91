package bus

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tongzhen/tongzhen/services/internal/id"
)

const (
	// batchFrom messages are worth a batch: the server makes a folder for each, and syncs it.
	batchFrom = 6

	batchID     = "Nats-Batch-Id"
	batchSeq    = "Nats-Batch-Sequence"
	batchCommit = "Nats-Batch-Commit"
)

// publishAtOnce stores all messages or none, on the disk before it answers nil, with one sync instead of one for each.
// After an error (a message is there already, one cannot be sent, the answer is late) nothing is known: sent one by
// one, those that were stored are recognised by their ids.
func (b *natsBus) publishAtOnce(ctx context.Context, msgs []Msg) error {
	batch := id.New()
	wired := make([]*nats.Msg, len(msgs))
	for i, m := range msgs {
		if err := check(m); err != nil {
			return err
		}
		wired[i] = wire(ctx, m, b.names)
		wired[i].Header[jetstream.ExpectedStreamHeader] = []string{b.names.stream(factsStream)}
		wired[i].Header[batchID] = []string{batch}
		wired[i].Header[batchSeq] = []string{strconv.Itoa(i + 1)}
	}
	last := wired[len(wired)-1]
	last.Header[batchCommit] = []string{"1"}
	for _, m := range wired[:len(wired)-1] {
		if err := b.conn.PublishMsg(m); err != nil {
			return err
		}
	}
	answer, err := b.conn.RequestMsgWithContext(ctx, last)
	if err != nil {
		return err
	}
	var stored struct {
		Count int             `json:"count"`
		Error json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal(answer.Data, &stored); err != nil {
		return err
	}
	if stored.Error != nil || stored.Count != len(msgs) {
		return errors.New("the batch was not stored")
	}
	return nil
}
