package events

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
)

// Directory is the consumer of directory's facts.
func Directory() bus.Consumer {
	return bus.Consumer{Name: "referral-directory", Subjects: []string{"directory.v1.*.organisation_changed"}, Workers: 1}
}

// OnDirectory stores the organisation that a fact carries.
func OnDirectory(o app.Organizations) func(context.Context, bus.Msg) error {
	return func(ctx context.Context, m bus.Msg) error {
		var f directoryv1.OrganisationChanged
		if err := proto.Unmarshal(m.Payload, &f); err != nil {
			return fmt.Errorf("read fact %s: %w", m.ID, err)
		}
		if f.GetMeta().GetFactId() == "" || f.GetOrganization().GetId() == "" {
			return fmt.Errorf("read fact %s: it names no fact or organisation", m.ID)
		}
		return o.PutOrganization(ctx, f.GetMeta().GetFactId(), Organization(f.GetOrganization(), f.GetDepartments()))
	}
}

// Organization is what referral keeps of an organisation: to departments that are closed nobody is sent.
func Organization(o *directoryv1.Organization, departments []*directoryv1.Department) app.Organization {
	out := app.Organization{
		County: o.GetCounty(), ID: o.GetId(), Version: o.GetVersion(), Name: o.GetName(), Type: o.GetType().String(), Disabled: o.GetDisabled(),
	}
	for _, d := range departments {
		if d.GetDisabled() {
			continue
		}
		out.Departments = append(out.Departments, app.Department{Code: d.GetCode(), Name: d.GetName()})
	}
	return out
}
