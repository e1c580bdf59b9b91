package shell

import (
	"context"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
)

// People are the county's accounts by id.
type People map[string]*directoryv1.Account

// ReadPeople asks directory for all of them.
func ReadPeople(ctx context.Context, directory directoryv1.DirectoryServiceClient) (People, error) {
	people := People{}
	for token := ""; ; {
		page, err := directory.ListAccounts(ctx, &directoryv1.ListAccountsRequest{PageSize: 200, PageToken: token})
		if err != nil {
			return nil, err
		}
		for _, a := range page.GetAccounts() {
			people[a.GetId()] = a
		}
		if token = page.GetNextPageToken(); token == "" {
			return people, nil
		}
	}
}

// Named are the accounts with this login, or else those of people with this name.
func (p People) Named(text string) (found []*directoryv1.Account) {
	for _, a := range p {
		if a.GetLogin() == text || a.GetId() == text {
			return []*directoryv1.Account{a}
		}
		if a.GetName() == text {
			found = append(found, a)
		}
	}
	return found
}

// Name is what an account is called, with its login; the id for one that is not known.
func (p People) Name(account string) string {
	if a := p[account]; a != nil {
		return a.GetName() + " (" + a.GetLogin() + ")"
	}
	return account
}
