// Package rpc is the directory's gRPC: requests into calls of app, answers into messages, and the table of who may
// call what. It decides nothing else.
package rpc

import (
	"context"
	"crypto/ed25519"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/emptypb"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/directory/internal/app"
	"github.com/tongzhen/tongzhen/services/directory/internal/events"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/authz"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// Keys tells the public key of call tokens; authn.Signer is one.
type Keys interface {
	Public() (keyID string, pub ed25519.PublicKey)
}

// Server implements DirectoryService.
type Server struct {
	directoryv1.UnimplementedDirectoryServiceServer
	app  *app.App
	keys Keys
}

// NewServer answers by a.
func NewServer(a *app.App, keys Keys) *Server { return &Server{app: a, keys: keys} }

// Register adds the methods to r.
func (s *Server) Register(r grpc.ServiceRegistrar) {
	directoryv1.RegisterDirectoryServiceServer(r, s)
	directoryv1.RegisterRosterServiceServer(r, &Rosters{app: s.app})
	directoryv1.RegisterAccountServiceServer(r, &Accounts{app: s.app})
	directoryv1.RegisterPlaceServiceServer(r, &Places{app: s.app})
}

// Policy is who may call what.
func Policy() authz.Table {
	// Commands of this machine put load on a demo county as its people.
	door := authz.Rule{Services: []string{"gateway", "cli"}}
	readers := authz.Rule{AnyPerson: true, Services: []string{
		"gateway", "referral", "patientrecord", "scheduling", "notification", "cli",
	}}
	// Accounts are logins and phones of people: for those who look after them, who address messages to them and who ask what they did; the gateway
	// looks at the accounts of hospitals' feeds.
	// Who treats patients, and who plans duty, sees the names of the colleagues of the own organisation; the county's administrator those of any.
	accounts := authz.Rule{Need: authz.Own, Roles: []string{
		"SYSTEM_ADMIN", "SECURITY_ADMIN", "SYSTEM", "AUDITOR", "VILLAGE_DOCTOR", "TOWNSHIP_DOCTOR", "CENTRE_HEAD", "INTAKE_DESK", "SPECIALIST", "DEPARTMENT_HEAD",
		"BED_MANAGER", "COUNTY_ADMIN",
	}, Services: []string{"notification", "gateway", "cli"}}
	imports := authz.Rule{Roles: []string{"SYSTEM"}, Services: []string{"cli"}}
	// The referral service keeps a copy of what every centre has; who seeds a county looks at it, to leave it alone.
	pharmacy := authz.Rule{AnyPerson: true, Services: []string{"referral", "cli"}}
	return accountPolicy(placePolicy(rosterPolicy(authz.Table{
		directoryv1.DirectoryService_SignIn_FullMethodName:              door,
		directoryv1.DirectoryService_SignOut_FullMethodName:             door,
		directoryv1.DirectoryService_ExchangeSession_FullMethodName:     door,
		directoryv1.DirectoryService_GetCurrentSession_FullMethodName:   {AnyPerson: true, Need: authz.Own},
		directoryv1.DirectoryService_ListSigningKeys_FullMethodName:     {Open: true},
		directoryv1.DirectoryService_ListOrganizations_FullMethodName:   readers,
		directoryv1.DirectoryService_GetOrganization_FullMethodName:     readers,
		directoryv1.DirectoryService_ListDepartments_FullMethodName:     readers,
		directoryv1.DirectoryService_ListFormulary_FullMethodName:       pharmacy,
		directoryv1.DirectoryService_ListCapabilities_FullMethodName:    pharmacy,
		directoryv1.DirectoryService_SetStock_FullMethodName:            {Roles: []string{"TOWNSHIP_DOCTOR", "CENTRE_HEAD", "COUNTY_ADMIN"}, Need: authz.Own},
		directoryv1.DirectoryService_ListAccounts_FullMethodName:        accounts,
		directoryv1.DirectoryService_ImportOrganizations_FullMethodName: imports,
		directoryv1.DirectoryService_ImportAccounts_FullMethodName:      imports,
		directoryv1.DirectoryService_ImportFormulary_FullMethodName:     imports,
		directoryv1.DirectoryService_ImportCapabilities_FullMethodName:  imports,
	})))
}

// SignIn implements DirectoryService.
func (s *Server) SignIn(ctx context.Context, r *directoryv1.SignInRequest) (*directoryv1.Session, error) {
	in, err := s.app.SignIn(ctx, app.SignInRequest{
		Login: r.GetAccount(), Password: r.GetPassword(), Address: clientAddress(ctx),
	})
	if err != nil {
		return nil, err
	}
	return session(in), nil
}

// clientAddress is the last address in x-forwarded-for, the one that the gateway itself has seen; those before it
// are the browser's word. Only the gateway and the commands of this machine may call SignIn, so the header is their own.
func clientAddress(ctx context.Context) string {
	values := metadata.ValueFromIncomingContext(ctx, "x-forwarded-for")
	if len(values) == 0 {
		return ""
	}
	all := strings.Split(values[len(values)-1], ",")
	return strings.TrimSpace(all[len(all)-1])
}

// SignOut implements DirectoryService.
func (s *Server) SignOut(ctx context.Context, r *directoryv1.SignOutRequest) (*emptypb.Empty, error) {
	if err := s.app.SignOut(ctx, r.GetAccessToken()); err != nil {
		return nil, err
	}
	return &emptypb.Empty{}, nil
}

// GetCurrentSession implements DirectoryService.
func (s *Server) GetCurrentSession(ctx context.Context, _ *directoryv1.GetCurrentSessionRequest) (*directoryv1.Session, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	in, err := s.app.CurrentSession(ctx, caller)
	if err != nil {
		return nil, err
	}
	return session(in), nil
}

// ExchangeSession implements DirectoryService.
func (s *Server) ExchangeSession(ctx context.Context, r *directoryv1.ExchangeSessionRequest) (*directoryv1.CallToken, error) {
	t, err := s.app.ExchangeSession(ctx, r.GetAccessToken(), r.GetIdle())
	if err != nil {
		return nil, err
	}
	return callToken(t), nil
}

// ListSigningKeys implements DirectoryService.
func (s *Server) ListSigningKeys(context.Context, *directoryv1.ListSigningKeysRequest) (*directoryv1.ListSigningKeysResponse, error) {
	kid, pub := s.keys.Public()
	return &directoryv1.ListSigningKeysResponse{Keys: []*directoryv1.SigningKey{{KeyId: kid, PublicKey: pub}}}, nil
}

// ListOrganizations implements DirectoryService.
func (s *Server) ListOrganizations(ctx context.Context, r *directoryv1.ListOrganizationsRequest) (*directoryv1.ListOrganizationsResponse, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	list, next, err := s.app.ListOrganizations(ctx, caller, organizationType(r.GetType()),
		app.Page{Size: int(r.GetPageSize()), Token: r.GetPageToken()})
	if err != nil {
		return nil, err
	}
	out := &directoryv1.ListOrganizationsResponse{NextPageToken: next}
	for _, o := range list {
		out.Organizations = append(out.Organizations, events.Organization(o))
	}
	if r.GetPageToken() == "" {
		out.CountyName, err = s.app.CountyName(ctx, caller)
	}
	return out, err
}

// GetOrganization implements DirectoryService.
func (s *Server) GetOrganization(ctx context.Context, r *directoryv1.GetOrganizationRequest) (*directoryv1.Organization, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	o, err := s.app.GetOrganization(ctx, caller, r.GetId())
	if err != nil {
		return nil, err
	}
	return events.Organization(o), nil
}

// ListDepartments implements DirectoryService.
func (s *Server) ListDepartments(ctx context.Context, r *directoryv1.ListDepartmentsRequest) (*directoryv1.ListDepartmentsResponse, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	list, err := s.app.ListDepartments(ctx, caller, r.GetOrganizationId())
	if err != nil {
		return nil, err
	}
	out := &directoryv1.ListDepartmentsResponse{}
	for _, o := range list {
		out.Departments = append(out.Departments, events.Departments(o)...)
	}
	return out, nil
}

// ListAccounts implements DirectoryService.
func (s *Server) ListAccounts(ctx context.Context, r *directoryv1.ListAccountsRequest) (*directoryv1.ListAccountsResponse, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	list, next, err := s.app.ListAccounts(ctx, caller, r.GetOrganizationId(),
		app.Page{Size: int(r.GetPageSize()), Token: r.GetPageToken()})
	if err != nil {
		return nil, err
	}
	out := &directoryv1.ListAccountsResponse{NextPageToken: next}
	for _, v := range list {
		a := account(v)
		if !app.MayTelephone(caller) {
			a.Phone, a.Email = "", ""
		}
		if app.MerelyColleague(caller) {
			a.Login, a.PractitionerId = "", ""
		}
		out.Accounts = append(out.Accounts, a)
	}
	return out, nil
}

// ImportOrganizations implements DirectoryService.
func (s *Server) ImportOrganizations(ctx context.Context, r *directoryv1.ImportOrganizationsRequest) (*directoryv1.ImportResult, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	in := app.OrganizationImport{County: r.GetCounty(), CountyName: r.GetCountyName()}
	for _, e := range r.GetOrganizations() {
		in.Entries = append(in.Entries, organizationEntry(e))
	}
	result, err := s.app.ImportOrganizations(ctx, caller, in)
	if err != nil {
		return nil, err
	}
	return importResult(result), nil
}

// ImportAccounts implements DirectoryService.
func (s *Server) ImportAccounts(ctx context.Context, r *directoryv1.ImportAccountsRequest) (*directoryv1.ImportResult, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	in := app.AccountImport{County: r.GetCounty()}
	for _, e := range r.GetAccounts() {
		in.Entries = append(in.Entries, accountEntry(e))
	}
	result, err := s.app.ImportAccounts(ctx, caller, in)
	if err != nil {
		return nil, err
	}
	return importResult(result), nil
}

func identity(ctx context.Context) (authn.Identity, error) {
	caller, ok := authn.FromContext(ctx)
	if !ok {
		return authn.Identity{}, errs.New(errs.KindUnauthenticated, errs.ReasonSessionExpired, "the call needs a token", nil)
	}
	return caller, nil
}
