package telemetry

import "strings"

// logKey says whether a log attribute may leave the process. To add a key: its values must be ids, codes, kinds, counts,
// durations or parts of the machine, for every caller that could use it. A key such as "name", "text", "value", "query"
// or "body" is never right.
func logKey(key string) bool {
	switch key {
	case
		// the process and its parts
		"service", "version", "part", "component", "peer", "target", "addr", "address", "port", "dir", "file", "engine",
		"schema", "migration", "stage", "signal", "commit", "go_version", "mode", "address_kind",
		// the trace
		"trace_id", "span_id",
		// ids
		"county", "account", "account_id", "organization", "organization_id", "department_id", "referral", "referral_id",
		"patient_id", "record_id", "booking_id", "hold_id", "slot_id", "entry_id", "notification_id", "fact_id",
		"aggregate_id", "cause_id", "id", "key_id", "holder", "session_count",
		// what happened
		"consumer", "subject", "type", "event", "channel", "method", "route", "action", "state", "kind", "code",
		"reason", "status", "role", "caller", "set", "table",
		// how much, how long, how often
		"count", "total", "n", "rows", "bytes", "attempt", "attempts", "delivered", "sequence", "seq", "fence",
		"duration", "duration_ms", "delay", "timeout", "lag", "retry_after", "until", "dropped",
		// what went wrong: an error (see describe), the type of a panic, where
		"error", "err", "panic", "stack",
		// the head of an audit chain, which is public by purpose
		"head", "hash", "signature":
		return true
	}
	return false
}

// spanKey says the same of span and event attributes. Those of the instrumentation libraries are allowed by family,
// without the ones that hold addresses of people, whole URLs, statements or texts of errors.
func spanKey(key string) bool {
	switch key {
	case "exception.type", "url.scheme", "error.type", "otel.status_code", "message.type", "message.id":
		return true
	case "db.statement", "db.query.text", "db.user", "http.url", "http.target", "http.client_ip", "http.user_agent":
		return false
	}
	for _, family := range [...]string{"rpc.", "http.", "db.", "messaging.", "server.", "network.protocol.", "network.transport"} {
		if strings.HasPrefix(key, family) && !strings.HasPrefix(key, "db.query.parameter") &&
			!strings.Contains(key, ".header.") && !strings.Contains(key, ".metadata.") {
			return true
		}
	}
	return logKey(key)
}
