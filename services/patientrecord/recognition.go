package patientrecord

import (
	"context"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/run"
	"github.com/tongzhen/tongzhen/services/internal/stats"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/events"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/figures"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/recognition"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/rpc"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/store"
)

// newRecognition makes the use cases of recognition with the shipped catalogue and definitions.
func newRecognition(uses *app.App, kept *store.Store) (*app.Recognition, error) {
	shipped, err := recognition.Shipped()
	if err != nil {
		return nil, err
	}
	published, err := figures.Load()
	if err != nil {
		return nil, err
	}
	return app.NewRecognition(uses, app.RecognitionDeps{Store: kept, Contents: rpc.Contents{}, Shipped: shipped, Published: published}), nil
}

// retryReading is the pause between tries while directory is away at the start.
const retryReading = time.Second

// recognitionParts keep the figures folded and know which organisation stands above which.
func (s *Service) recognitionParts() []run.Part {
	return []run.Part{
		{Name: "figures", Runner: stats.NewFolder(s.deps.DB, figures.Schema())},
		{Name: "directory facts", Runner: run.Func(func(ctx context.Context) error {
			return s.deps.Bus.Consume(ctx, events.Organisations(), events.OnOrganisation(s.recognition))
		})},
		{Name: "organisations", Runner: run.Func(s.readOrganizations)},
	}
}

// readOrganizations reads all of them once; while directory is away it goes on trying. Until then results of others are not recognised.
func (s *Service) readOrganizations(ctx context.Context) error {
	ctx, done := context.WithCancel(ctx)
	defer done()
	directory := rpc.NewDirectory(s.deps.Peers.Directory)
	run.Every(ctx, retryReading, nil, func(ctx context.Context) error {
		err := s.recognition.RefreshOrganizations(ctx, directory)
		if err == nil {
			done()
		}
		return err
	})
	return nil
}
