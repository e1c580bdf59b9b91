package egress

import (
	"encoding/json"
	"net/url"
	"strings"

	"github.com/tongzhen/tongzhen/services/notification/internal/channel"
)

// JSON reads an answer of success of the channel's one provider as JSON. What is no JSON, or not all of it, may stand for anything: Unknown. A status that
// speaks of an address means the channel's own.
func (a Answer) JSON(into any) error {
	if err := a.Provider(); err != nil {
		return err
	}
	if !a.Whole || json.Unmarshal(a.Body, into) != nil {
		return channel.Fail(channel.Unknown, "half answer")
	}
	return nil
}

// Provider is Classify where the address is the channel's own, not a group's.
func (a Answer) Provider() error {
	err := a.Classify()
	if err != nil && channel.ClassOf(err).Class == channel.Setup {
		return channel.FailWhole(channel.ClassOf(err).Code)
	}
	return err
}

// Robot is the address of a group's robot: its key by itself, or the whole address as the provider shows it, whose key is then taken. ok is false for
// neither.
func Robot(value, base, path, parameter string) (key string, ok bool) {
	value = strings.TrimSpace(value)
	if !strings.Contains(value, "/") {
		return value, plain(value)
	}
	u, err := url.Parse(value)
	home, err2 := url.Parse(base)
	if err != nil || err2 != nil || u.Scheme != home.Scheme || u.Host != home.Host || u.Path != home.Path+path {
		return "", false
	}
	key = u.Query().Get(parameter)
	return key, plain(key)
}

const (
	minKey = 16
	maxKey = 128
)

// plain: letters, digits, - and _.
func plain(key string) bool {
	if len(key) < minKey || len(key) > maxKey {
		return false
	}
	return strings.IndexFunc(key, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	}) < 0
}
