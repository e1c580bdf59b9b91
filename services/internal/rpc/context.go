package rpc

import (
	"context"

	"github.com/tongzhen/tongzhen/services/internal/authn"
)

type (
	tokenKey  struct{}
	countyKey struct{}
)

// WithToken makes calls under ctx the person's, by their call token. The server does it for the handler.
func WithToken(ctx context.Context, token string) context.Context {
	return context.WithValue(ctx, tokenKey{}, token)
}

// Token is the person's call token that calls under ctx forward; "" when they are the service's own.
func Token(ctx context.Context) string {
	token, _ := ctx.Value(tokenKey{}).(string)
	return token
}

// WithCounty names the county that the service's own calls under ctx act for. Without it they act for the county of
// the caller who is being served.
func WithCounty(ctx context.Context, county string) context.Context {
	return context.WithValue(ctx, countyKey{}, county)
}

// AsService drops the person's token: calls under ctx are the service's own. The county stays.
func AsService(ctx context.Context) context.Context { return WithToken(ctx, "") }

func county(ctx context.Context) string {
	if c, ok := ctx.Value(countyKey{}).(string); ok {
		return c
	}
	caller, _ := authn.FromContext(ctx)
	return caller.County
}
