package cache

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/tongzhen/tongzhen/services/internal/clock"
)

const (
	redisPrefix  = "tongzhen:"
	dialTimeout  = 500 * time.Millisecond
	replyTimeout = 300 * time.Millisecond
	stampBytes   = 8 // in front of each value: when it is over, in microseconds by the callers' clocks
)

// Redis is a store that all processes share, version 6 or newer. An error is that of the URL; whether the server is
// there is not asked, because everything works without it. Each call is over within a second.
//
// The server removes what is over by its own clock; whether an entry still counts is decided by clk, as in Memory.
func Redis(ctx context.Context, url string, clk clock.Clock) (Store, error) {
	return RedisPrefix(ctx, url, redisPrefix, clk)
}

// RedisPrefix is Redis beside others who use the same server with another prefix.
func RedisPrefix(_ context.Context, url, prefix string, clk clock.Clock) (Store, error) {
	o, err := redis.ParseURL(url)
	if err != nil {
		return nil, errors.New("cache: the Redis URL cannot be read") // err would show it, and the password in it
	}
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = dialTimeout, replyTimeout, replyTimeout, replyTimeout
	// A second attempt only delays what works without an answer.
	o.MaxRetries, o.DialerRetries = -1, 1
	o.ContextTimeoutEnabled = true
	o.DisableIdentity = true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return &shared{client: redis.NewClient(o), prefix: prefix, clk: clk}, nil
}

type shared struct {
	client *redis.Client
	prefix string
	clk    clock.Clock
}

func (s *shared) valueKey(key string) string { return s.prefix + "v:" + key }
func (s *shared) limitKey(key string) string { return s.prefix + "l:" + key }

func (s *shared) Get(ctx context.Context, key string) ([]byte, bool, error) {
	stored, err := s.client.Get(ctx, s.valueKey(key)).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("cache: get: %w", err)
	}
	if len(stored) < stampBytes {
		return nil, false, nil // somebody else's
	}
	until := binary.BigEndian.Uint64(stored)
	if micros(s.clk.Now()) >= until {
		return nil, false, nil
	}
	return stored[stampBytes:], true, nil
}

func (s *shared) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if ttl < time.Millisecond {
		return ErrTTL
	}
	stored := binary.BigEndian.AppendUint64(make([]byte, 0, stampBytes+len(value)), micros(s.clk.Now().Add(ttl)))
	stored = append(stored, value...)
	if err := s.client.Set(ctx, s.valueKey(key), stored, ttl.Truncate(time.Millisecond)).Err(); err != nil {
		return fmt.Errorf("cache: set: %w", err)
	}
	return nil
}

func (s *shared) Delete(ctx context.Context, keys ...string) error {
	if len(keys) == 0 {
		return nil
	}
	// One command a key, in one round trip: several keys in one command need not be on one node of a cluster.
	_, err := s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, key := range keys {
			p.Unlink(ctx, s.valueKey(key))
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("cache: delete: %w", err)
	}
	return nil
}

// allow counts in a hash {s: begin of the window, n: calls}; it answers 0, or the microseconds to wait.
var allow = redis.NewScript(`
local now, n, per = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local w = redis.call('HMGET', KEYS[1], 's', 'n')
local start, count = tonumber(w[1]), tonumber(w[2])
if not start or now >= start + per then
  redis.call('HSET', KEYS[1], 's', ARGV[1], 'n', 1)
  redis.call('PEXPIRE', KEYS[1], math.ceil(per / 1000))
  return 0
end
if count < n then
  redis.call('HINCRBY', KEYS[1], 'n', 1)
  return 0
end
return math.min(start + per - now, per)
`)

func (s *shared) Allow(ctx context.Context, key string, n int, per time.Duration) (bool, time.Duration, error) {
	if err := checkLimit(n, per); err != nil {
		return false, 0, err
	}
	wait, err := allow.Run(ctx, s.client, []string{s.limitKey(key)},
		micros(s.clk.Now()), n, per.Microseconds()).Int64()
	if err != nil {
		return false, 0, fmt.Errorf("cache: count: %w", err)
	}
	return wait == 0, time.Duration(wait) * time.Microsecond, nil
}

// micros: the clock's instants are after 1970 and before the year 294441.
func micros(t time.Time) uint64 { return uint64(t.UnixMicro()) }

func (s *shared) Close() error {
	if err := s.client.Close(); err != nil && !errors.Is(err, redis.ErrClosed) {
		return fmt.Errorf("cache: close: %w", err)
	}
	return nil
}
