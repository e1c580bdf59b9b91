package rpc

import (
	"context"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/directory/internal/app"
	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/internal/authz"
)

// Accounts implements AccountService.
type Accounts struct {
	directoryv1.UnimplementedAccountServiceServer
	app *app.App
}

// accountPolicy is who may call what of AccountService; whose account may be changed, the use case decides.
func accountPolicy(table authz.Table) authz.Table {
	keepers := authz.Rule{Roles: []string{"COUNTY_ADMIN", "SYSTEM_ADMIN"}, Services: []string{"cli"}}
	for _, method := range []string{
		directoryv1.AccountService_SearchAccounts_FullMethodName, directoryv1.AccountService_GetAccount_FullMethodName,
		directoryv1.AccountService_ListAccountChanges_FullMethodName, directoryv1.AccountService_CreateAccount_FullMethodName,
		directoryv1.AccountService_UpdateAccount_FullMethodName, directoryv1.AccountService_DisableAccount_FullMethodName,
		directoryv1.AccountService_EnableAccount_FullMethodName, directoryv1.AccountService_ResetPassword_FullMethodName,
		directoryv1.AccountService_ImportAccountFile_FullMethodName,
	} {
		table[method] = keepers
	}
	table[directoryv1.AccountService_ChangePassword_FullMethodName] = authz.Rule{AnyPerson: true, Need: authz.Own}
	return table
}

// SearchAccounts implements AccountService.
func (s *Accounts) SearchAccounts(ctx context.Context, r *directoryv1.SearchAccountsRequest) (*directoryv1.SearchAccountsResponse, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	q := app.AccountSearch{County: r.GetCounty(), Text: strings.TrimSpace(r.GetQuery()), OrganizationID: r.GetOrganizationId(), Role: role(r.GetRole())}
	if r.GetState() != directoryv1.AccountState_UNSPECIFIED {
		q.State = app.AccountState(r.GetState().String())
	}
	found, grantable, next, err := s.app.SearchAccounts(ctx, caller, q, app.Page{Size: int(r.GetPageSize()), Token: r.GetPageToken()})
	if err != nil {
		return nil, err
	}
	out := &directoryv1.SearchAccountsResponse{NextPageToken: next}
	for _, one := range found {
		out.Accounts = append(out.Accounts, detail(one))
	}
	for _, one := range grantable {
		out.GrantableRoles = append(out.GrantableRoles, commonv1.Role_Code(commonv1.Role_Code_value[string(one)]))
	}
	return out, nil
}

func detail(d app.AccountDetail) *directoryv1.AccountDetail {
	out := &directoryv1.AccountDetail{
		Account: account(d.AccountView), Editable: d.Editable, Own: d.Own,
		State: directoryv1.AccountState_Code(directoryv1.AccountState_Code_value[string(d.State())]),
	}
	for _, p := range d.Posts {
		out.Posts = append(out.Posts, &directoryv1.Post{OrganizationId: p.OrganizationID, DepartmentCode: p.Department})
	}
	out.OneTimePasswordExpireTime = moment(d.Expires)
	return out
}

// moment of a time that may be none.
func moment(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

// GetAccount implements AccountService.
func (s *Accounts) GetAccount(ctx context.Context, r *directoryv1.GetAccountRequest) (*directoryv1.AccountDetail, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	one, err := s.app.GetAccount(ctx, caller, r.GetCounty(), r.GetId())
	if err != nil {
		return nil, err
	}
	return detail(one), nil
}

// ListAccountChanges implements AccountService.
func (s *Accounts) ListAccountChanges(ctx context.Context, r *directoryv1.ListAccountChangesRequest) (*directoryv1.ListAccountChangesResponse, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	list, err := s.app.AccountChanges(ctx, caller, r.GetCounty(), r.GetId())
	if err != nil {
		return nil, err
	}
	out := &directoryv1.ListAccountChangesResponse{}
	for _, c := range list {
		out.Changes = append(out.Changes, &directoryv1.AccountChange{
			Account: account(c.AccountView), Action: strings.ToUpper(strings.TrimPrefix(c.Action, "account.")),
			Actor: &commonv1.Actor{AccountId: c.By, Name: c.ByName}, Time: timestamppb.New(c.Time),
		})
	}
	return out, nil
}

// CreateAccount implements AccountService.
func (s *Accounts) CreateAccount(ctx context.Context, r *directoryv1.CreateAccountRequest) (*directoryv1.IssuedAccount, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	return issued(s.app.CreateAccount(ctx, caller, app.AccountWrite{County: r.GetCounty(), Data: written(r.GetAccount()), RequestID: r.GetRequestId()}))
}

// written is what a caller may say of an account; the rest is not the caller's to say.
func written(a *directoryv1.Account) domain.AccountData {
	d := accountData(a)
	d.ID, d.County, d.PractitionerID, d.Disabled = "", "", "", false
	return d
}

func issued(a app.IssuedAccount, err error) (*directoryv1.IssuedAccount, error) {
	if err != nil {
		return nil, err
	}
	return &directoryv1.IssuedAccount{Account: account(a.View), OneTimePassword: a.Password, OneTimePasswordExpireTime: moment(a.Expires)}, nil
}

// UpdateAccount implements AccountService.
func (s *Accounts) UpdateAccount(ctx context.Context, r *directoryv1.UpdateAccountRequest) (*directoryv1.Account, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	return changed(s.app.UpdateAccount(ctx, caller, app.AccountWrite{
		County: r.GetCounty(), ID: r.GetId(), Version: r.GetVersion(), Data: written(r.GetAccount()), RequestID: r.GetRequestId(),
	}))
}

func changed(v app.AccountView, err error) (*directoryv1.Account, error) {
	if err != nil {
		return nil, err
	}
	return account(v), nil
}

// DisableAccount implements AccountService.
func (s *Accounts) DisableAccount(ctx context.Context, r *directoryv1.SwitchAccountRequest) (*directoryv1.Account, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	return changed(s.app.DisableAccount(ctx, caller, app.AccountWrite{County: r.GetCounty(), ID: r.GetId(), Version: r.GetVersion(), RequestID: r.GetRequestId()}))
}

// EnableAccount implements AccountService.
func (s *Accounts) EnableAccount(ctx context.Context, r *directoryv1.SwitchAccountRequest) (*directoryv1.Account, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	return changed(s.app.EnableAccount(ctx, caller, app.AccountWrite{County: r.GetCounty(), ID: r.GetId(), Version: r.GetVersion(), RequestID: r.GetRequestId()}))
}

// ResetPassword implements AccountService.
func (s *Accounts) ResetPassword(ctx context.Context, r *directoryv1.ResetPasswordRequest) (*directoryv1.IssuedAccount, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	return issued(s.app.ResetPassword(ctx, caller, app.AccountWrite{County: r.GetCounty(), ID: r.GetId(), RequestID: r.GetRequestId()}))
}

// ImportAccountFile implements AccountService.
func (s *Accounts) ImportAccountFile(ctx context.Context, r *directoryv1.ImportAccountFileRequest) (*directoryv1.ImportAccountFileResponse, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	done, err := s.app.ImportAccountFile(ctx, caller, app.AccountFile{County: r.GetCounty(), Content: r.GetContent(), DryRun: r.GetDryRun(), Row: int(r.GetRow())})
	if err != nil {
		return nil, err
	}
	// At most 500 lines a file, of at most 256 KiB.
	out := &directoryv1.ImportAccountFileResponse{NextRow: int32(done.Next)}
	for _, one := range done.Accounts {
		out.Accounts = append(out.Accounts, &directoryv1.ImportedAccount{
			Line: int32(one.Line), Account: account(one.View), Outcome: string(one.Outcome), OneTimePassword: one.Password, OneTimePasswordExpireTime: moment(one.Expires),
		})
	}
	for _, p := range done.Problems {
		out.Problems = append(out.Problems, &directoryv1.AccountFileProblem{Line: int32(p.Line), Field: p.Field, Reason: p.Reason})
	}
	return out, nil
}

// ChangePassword implements AccountService.
func (s *Accounts) ChangePassword(ctx context.Context, r *directoryv1.ChangePasswordRequest) (*emptypb.Empty, error) {
	caller, err := identity(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.app.ChangePassword(ctx, caller, app.PasswordChange{Current: r.GetCurrentPassword(), New: r.GetNewPassword()}); err != nil {
		return nil, err
	}
	return &emptypb.Empty{}, nil
}
