package events

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// Formulary is the consumer of directory's facts about medicine lists and capabilities.
func Formulary() bus.Consumer {
	return bus.Consumer{
		Name: "referral-formulary", Workers: 1,
		Subjects: []string{"directory.v1.*.formulary_changed", "directory.v1.*.capabilities_changed"},
	}
}

// OnFormulary stores the medicines, or the capabilities, that a fact carries.
func OnFormulary(f app.Formularies) func(context.Context, bus.Msg) error {
	return func(ctx context.Context, m bus.Msg) error {
		if strings.HasSuffix(m.Subject, ".capabilities_changed") {
			var c directoryv1.CapabilitiesChanged
			if err := read(m, &c); err != nil {
				return err
			}
			return f.PutCapabilities(ctx, c.GetMeta().GetFactId(), Capabilities(c.GetMeta().GetCounty(), c.GetCapabilities()))
		}
		var c directoryv1.FormularyChanged
		if err := read(m, &c); err != nil {
			return err
		}
		return f.PutFormulary(ctx, c.GetMeta().GetFactId(), FormularyItems(c.GetMeta().GetCounty(), c.GetItems()))
	}
}

// FormularyItems is what referral keeps of the medicines of a county.
func FormularyItems(county string, items []*directoryv1.FormularyItem) []domain.FormularyItem {
	out := make([]domain.FormularyItem, len(items))
	for i, x := range items {
		out[i] = domain.FormularyItem{
			County: county, ID: x.GetId(), OrganizationID: x.GetOrganizationId(), Version: x.GetVersion(), Name: x.GetName(),
			Specification: x.GetSpecification(), ATC: x.GetAtc(), InStock: x.GetStock() == directoryv1.StockState_IN_STOCK,
			Orderable: x.GetOrderable(), RestrictedClass: x.GetRestrictedClass(), Removed: x.GetRemoved(),
		}
	}
	return out
}

// Capabilities is what referral keeps of what an organisation of a county can do.
func Capabilities(county string, c *directoryv1.OrganizationCapabilities) app.Capabilities {
	out := app.Capabilities{County: county, OrganizationID: c.GetOrganizationId(), Version: c.GetVersion()}
	for _, one := range c.GetCapabilities() {
		out.Codes = append(out.Codes, one.GetCode())
	}
	return out
}

// told is a message that carries a fact.
type told interface {
	proto.Message
	GetMeta() *commonv1.FactMeta
}

// read decodes a fact, which must say its id and county.
func read(m bus.Msg, into told) error {
	if err := proto.Unmarshal(m.Payload, into); err != nil {
		return fmt.Errorf("read fact %s: %w", m.ID, err)
	}
	if into.GetMeta().GetFactId() == "" || into.GetMeta().GetCounty() == "" {
		return fmt.Errorf("read fact %s: it names no fact or county", m.ID)
	}
	return nil
}
