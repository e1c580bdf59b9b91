// Package rekeyrpc answers tongzhen.common.v1.KeyService for the service that stands on it: which keys its process knows, and how far what it
// sealed is under the current one.
//
// Owns the form of the answer and who may ask: the commands of this machine. Refuses to tell keys; their ids are no secret. Safe for concurrent use.
package rekeyrpc

import (
	"context"
	"maps"

	"google.golang.org/grpc"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	"github.com/tongzhen/tongzhen/services/internal/authz"
	"github.com/tongzhen/tongzhen/services/internal/rekey"
)

// Server implements KeyService.
type Server struct {
	commonv1.UnimplementedKeyServiceServer
	walker *rekey.Walker
}

// Register adds the service to a gRPC server.
func Register(r grpc.ServiceRegistrar, walker *rekey.Walker) {
	commonv1.RegisterKeyServiceServer(r, &Server{walker: walker})
}

// With is a service's table with the rule of KeyService.
func With(table authz.Table) authz.Table {
	out := maps.Clone(table)
	out[commonv1.KeyService_GetKeyStatus_FullMethodName] = authz.Rule{Services: []string{"cli"}}
	return out
}

// GetKeyStatus implements the contract.
func (s *Server) GetKeyStatus(ctx context.Context, in *commonv1.GetKeyStatusRequest) (*commonv1.KeyStatus, error) {
	keys := s.walker.Ring.Keys()
	out := &commonv1.KeyStatus{DataKey: keys.Data, DataKeys: keys.AllData, IndexKey: keys.Index, IndexKeys: keys.AllIndex}
	columns, err := s.walker.Status(ctx, in.GetCount())
	if err != nil {
		return nil, err
	}
	for _, c := range columns {
		out.Columns = append(out.Columns, &commonv1.SealedColumn{
			Table: c.Table, Column: c.Column, Resealed: c.Resealed, Done: c.Done, Remaining: c.Remaining, Unreadable: c.Unreadable,
		})
	}
	return out, s.index(ctx, out)
}

// index adds what is known of the index keys.
func (s *Server) index(ctx context.Context, out *commonv1.KeyStatus) error {
	if s.walker.Terms != nil {
		terms, err := s.walker.Terms(ctx)
		if err != nil {
			return err
		}
		out.Terms = &commonv1.IndexedTerms{Table: terms.Table, Done: terms.Done, Remaining: terms.Remaining}
	}
	needs, err := s.walker.Needs(ctx)
	for _, n := range needs {
		out.Needs = append(out.Needs, &commonv1.IndexKeyNeed{Key: n.Key, Table: n.Table, Rows: n.Rows})
	}
	return err
}
