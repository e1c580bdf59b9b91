package app_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/directory/internal/app"
	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// person is a caller with an account of the roles, made by the machine; the login is the roles' first.
func (h house) person(t *testing.T, login string, roles ...domain.Role) authn.Identity {
	t.Helper()
	e := doctor()
	e.Data.Login, e.Data.Name, e.Data.Roles = login, "人"+login, roles
	got, err := h.importAccounts(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	words := make([]string, len(roles))
	for i, r := range roles {
		words[i] = string(r)
	}
	return authn.Identity{Subject: got.IDs[login], County: county, Organization: h.ids["450321101"], Roles: words}
}

// wanted is a new specialist of the hospital.
func (h house) wanted(login string) app.AccountWrite {
	return app.AccountWrite{RequestID: id.New(), Data: domain.AccountData{
		Login: login, Name: "李小明", OrganizationID: h.ids["H01"], DepartmentCode: "0304", Roles: []domain.Role{domain.Specialist}, Phone: "138",
	}}
}

func (h house) made(t *testing.T, by authn.Identity, login string) app.IssuedAccount {
	t.Helper()
	got, err := h.app.CreateAccount(t.Context(), by, h.wanted(login))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// write is a change of an account as it stands.
func write(v app.AccountView) app.AccountWrite {
	d := v.Account.Data()
	return app.AccountWrite{ID: d.ID, Version: v.Account.Version(), Data: d, RequestID: id.New()}
}

func TestAnAccountIsMadeOnceWithAPasswordThatIsToldOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		admin := h.person(t, "admin", domain.CountyAdmin)
		w := h.wanted(" LiXM")
		first, err := h.app.CreateAccount(t.Context(), admin, w)
		if err != nil || first.Password == "" || first.View.Account.Data().Login != "lixm" || first.View.OrganizationName != "阳朔县人民医院" {
			t.Fatalf("%+v, %v", first, err)
		}
		again, err := h.app.CreateAccount(t.Context(), admin, w)
		if err != nil || again.Password != "" || again.View.Account.Data().ID != first.View.Account.Data().ID {
			t.Errorf("the repeat answers %+v, %v", again, err)
		}
		w.Data.Name = "另一个"
		_, err = h.app.CreateAccount(t.Context(), admin, w)
		expect(t, err, errs.ReasonRequestIDReused)
		_, err = h.app.CreateAccount(t.Context(), admin, h.wanted("lixm"))
		expectField(t, err, "account.login", errs.ReasonFieldTaken)
		if n := h.count(t, "SELECT count(*) FROM account WHERE login = 'lixm'"); n != 1 {
			t.Errorf("%d accounts", n)
		}
		if n := h.count(t, "SELECT count(*) FROM credential WHERE password_hash LIKE $1 OR password_hash = $2", "%"+first.Password+"%", first.Password); n != 0 {
			t.Error("the password itself is kept")
		}
		if n := h.count(t, "SELECT count(*) FROM audit_entry WHERE action = 'account.create' AND account_id = $1", admin.Subject); n != 1 {
			t.Errorf("%d audit entries", n)
		}
	})
}

func TestARefusedNewAccountNamesTheField(t *testing.T) {
	t.Parallel()
	h := one(t)
	admin := h.person(t, "admin", domain.CountyAdmin)
	for field, change := range map[string]func(*domain.AccountData){
		"account.name": func(d *domain.AccountData) { d.Name = "" }, "account.organizationId": func(d *domain.AccountData) { d.OrganizationID = "" },
		"account.departmentCode": func(d *domain.AccountData) { d.DepartmentCode = "99" }, "account.roles": func(d *domain.AccountData) { d.Roles = []domain.Role{domain.Auditor} },
		"account.email": func(d *domain.AccountData) { d.Email = "x" }, "account.login": func(d *domain.AccountData) { d.Login = "李" },
	} {
		w := h.wanted("lixm")
		change(&w.Data)
		_, err := h.app.CreateAccount(t.Context(), admin, w)
		e, ok := errs.As(err)
		if !ok || e.Kind != errs.KindInvalid || len(e.Fields) != 1 || e.Fields[0].Name != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestTheOneTimePasswordIsChangedBeforeAnythingElse(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		made := h.made(t, h.person(t, "admin", domain.CountyAdmin), "lixm")
		in, err := h.signIn(t.Context(), "lixm", made.Password)
		if err != nil || !in.ChangePassword {
			t.Fatalf("%+v, %v", in, err)
		}
		token, err := h.app.ExchangeSession(t.Context(), in.Secret, false)
		if err != nil || !token.ChangePassword {
			t.Fatalf("%+v, %v", token, err)
		}
		caller, err := h.verifier.Verify(t.Context(), token.Token)
		if err != nil || len(caller.Roles) != 0 {
			t.Fatalf("the token holds the roles %v, %v", caller.Roles, err)
		}
		expectField(t, h.app.ChangePassword(t.Context(), caller, app.PasswordChange{New: made.Password}), "newPassword", errs.ReasonFieldSame)
		expectField(t, h.app.ChangePassword(t.Context(), caller, app.PasswordChange{New: "short"}), "newPassword", errs.ReasonFieldOutOfRange)
		for range 2 { // a double click
			if err := h.app.ChangePassword(t.Context(), caller, app.PasswordChange{New: "my own word"}); err != nil {
				t.Fatal(err)
			}
		}
		if token, err = h.app.ExchangeSession(t.Context(), in.Secret, false); err != nil || token.ChangePassword {
			t.Errorf("the session must go on: %v", err)
		}
		if caller, err = h.verifier.Verify(t.Context(), token.Token); err != nil || !caller.Has("SPECIALIST") {
			t.Errorf("%+v, %v", caller, err)
		}
		if in, err = h.signIn(t.Context(), "lixm", "my own word"); err != nil || in.ChangePassword {
			t.Errorf("%v", err)
		}
		_, err = h.signIn(t.Context(), "lixm", made.Password)
		expect(t, err, errs.ReasonBadCredentials)
	})
}

func TestAPasswordIsChangedByWhoKnowsItAndEndsTheOtherSessions(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		other, in := h.signedIn(t), h.signedIn(t)
		token, err := h.app.ExchangeSession(t.Context(), in.Secret, false)
		if err != nil {
			t.Fatal(err)
		}
		caller, err := h.verifier.Verify(t.Context(), token.Token)
		if err != nil {
			t.Fatal(err)
		}
		change := func(current, chosen string) error {
			return h.app.ChangePassword(t.Context(), caller, app.PasswordChange{Current: current, New: chosen})
		}
		expectField(t, change(password, "Township"), "newPassword", errs.ReasonFieldInvalid)
		expectField(t, change(password, password), "newPassword", errs.ReasonFieldSame)
		expectField(t, change("wrong", "another-word"), "currentPassword", errs.ReasonFieldInvalid)
		if err := change(password, "another-word"); err != nil {
			t.Fatal(err)
		}
		_, err = h.app.ExchangeSession(t.Context(), other.Secret, false)
		expect(t, err, errs.ReasonSessionExpired)
		if _, err = h.app.ExchangeSession(t.Context(), in.Secret, false); err != nil {
			t.Errorf("the own session ended: %v", err)
		}
		for range domain.MaxFailures - 1 { // one was tried above
			expectField(t, change("wrong", "a-third-word"), "currentPassword", errs.ReasonFieldInvalid)
		}
		err = change("another-word", "a-third-word")
		if errs.KindOf(err) != errs.KindLimited || errs.ReasonOf(err) != errs.ReasonLocked {
			t.Errorf("a browser left open is a way round the lock: %v", err)
		}
	})
}

func TestWhoIsDisabledIsOutAtOnceAndComesBackWithTheSamePassword(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		admin, in := h.person(t, "admin", domain.CountyAdmin), h.signedIn(t)
		w := write(in.View)
		gone, err := h.app.DisableAccount(t.Context(), admin, w)
		if err != nil || !gone.Account.Data().Disabled {
			t.Fatalf("%+v, %v", gone, err)
		}
		if again, err := h.app.DisableAccount(t.Context(), admin, w); err != nil || again.Account.Version() != gone.Account.Version() {
			t.Errorf("the repeat: %v, %v", again.Account.Version(), err)
		}
		_, err = h.app.ExchangeSession(t.Context(), in.Secret, false)
		expect(t, err, errs.ReasonSessionExpired)
		_, err = h.signIn(t.Context(), "township", password)
		expect(t, err, errs.ReasonBadCredentials)
		back, err := h.app.EnableAccount(t.Context(), admin, write(gone))
		if err != nil || back.Account.Data().Disabled {
			t.Fatal(err)
		}
		_, err = h.app.ExchangeSession(t.Context(), in.Secret, false)
		expect(t, err, errs.ReasonSessionExpired) // the session does not come back
		h.signedIn(t)
	})
}

func TestAResetEndsSessionsAndOpensTheLock(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		admin, in := h.person(t, "admin", domain.CountyAdmin), h.signedIn(t)
		for range domain.MaxFailures {
			_, _ = h.signIn(t.Context(), "township", "wrong")
		}
		w := app.AccountWrite{ID: in.View.Account.Data().ID, RequestID: id.New()}
		got, err := h.app.ResetPassword(t.Context(), admin, w)
		if err != nil || got.Password == "" {
			t.Fatal(err)
		}
		again, err := h.app.ResetPassword(t.Context(), admin, w)
		if err != nil || again.Password != "" || again.View.Account.Version() != got.View.Account.Version() {
			t.Errorf("the repeat shows %q, %v", again.Password, err)
		}
		_, err = h.app.ExchangeSession(t.Context(), in.Secret, false)
		expect(t, err, errs.ReasonSessionExpired)
		_, err = h.signIn(t.Context(), "township", password)
		expect(t, err, errs.ReasonBadCredentials)
		if in, err = h.signIn(t.Context(), "township", got.Password); err != nil || !in.ChangePassword {
			t.Errorf("%v", err)
		}
		_, err = h.app.ResetPassword(t.Context(), admin, app.AccountWrite{ID: admin.Subject})
		expect(t, err, errs.ReasonOwnAccount)
		_, err = h.app.ResetPassword(t.Context(), admin, app.AccountWrite{ID: h.person(t, "audits", domain.Auditor).Subject})
		expect(t, err, errs.ReasonAccountNotYours)
		_, err = h.app.ResetPassword(t.Context(), admin, app.AccountWrite{ID: id.New()})
		expect(t, err, errs.ReasonNotFound)
	})
}

func TestAnUpdateNeedsTheVersionThatWasSeenAndLeavesWhatNoFormShows(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		admin := h.person(t, "admin", domain.CountyAdmin)
		first := h.made(t, admin, "lixm").View
		w := write(first)
		w.Data.Phone, w.Data.OrganizationID, w.Data.DepartmentCode, w.Data.Login = "139", h.ids["450321101"], "02", "other"
		_, err := h.app.UpdateAccount(t.Context(), admin, w) // a specialist at a health centre
		expectField(t, err, "account.organizationId", errs.ReasonFieldCombination)
		w.Data.Roles, w.RequestID = []domain.Role{domain.TownshipDoctor}, id.New()
		for range 2 {
			now, err := h.app.UpdateAccount(t.Context(), admin, w)
			if d := now.Account.Data(); err != nil || d.Phone != "139" || d.Login != "lixm" || now.Account.Version() != 2 || now.OrganizationName != "白沙镇卫生院" {
				t.Fatalf("%+v, %v", d, err)
			}
		}
		w.RequestID = id.New()
		_, err = h.app.UpdateAccount(t.Context(), admin, w)
		expect(t, err, errs.ReasonStaleVersion)
		w.Version = 0
		_, err = h.app.UpdateAccount(t.Context(), admin, w)
		expectField(t, err, "version", errs.ReasonVersionRequired)
		own := app.AccountWrite{ID: admin.Subject, Version: 1, Data: domain.AccountData{Name: "我", OrganizationID: admin.Organization, Roles: []domain.Role{domain.CountyAdmin, domain.BedManager}}}
		_, err = h.app.UpdateAccount(t.Context(), admin, own)
		expect(t, err, errs.ReasonOwnAccount)
		own.Data.Roles = own.Data.Roles[:1]
		if now, err := h.app.UpdateAccount(t.Context(), admin, own); err != nil || now.Account.Data().Name != "我" {
			t.Errorf("the own name: %v", err)
		}
		changes, err := h.app.AccountChanges(t.Context(), admin, "", first.Account.Data().ID)
		if err != nil || len(changes) != 2 || changes[0].Action != "account.update" || changes[0].ByName != "我" || changes[0].Account.Data().Phone != "139" ||
			changes[1].Action != "account.create" || changes[1].Account.Data().Phone != "138" || changes[1].OrganizationName != "阳朔县人民医院" {
			t.Errorf("%+v, %v", changes, err)
		}
	})
}

// Two administrators who disable each other at the same moment: one of them stays.
func TestTheLastAdministratorOfACountyStays(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		a, b := h.person(t, "admin", domain.CountyAdmin), h.person(t, "admin2", domain.CountyAdmin)
		var wg sync.WaitGroup
		results := make([]error, 2)
		for i, pair := range [][2]authn.Identity{{a, b}, {b, a}} {
			wg.Go(func() {
				_, results[i] = h.app.DisableAccount(t.Context(), pair[0], app.AccountWrite{ID: pair[1].Subject, Version: 1})
			})
		}
		wg.Wait()
		if (results[0] == nil) == (results[1] == nil) {
			t.Fatalf("%v", results)
		}
		for _, err := range results {
			if err != nil {
				expect(t, err, errs.ReasonLastAdministrator)
			}
		}
		last := a
		if results[1] == nil {
			last = b
		}
		_, err := h.app.DisableAccount(t.Context(), cli(), app.AccountWrite{County: county, ID: last.Subject, Version: 1})
		expect(t, err, errs.ReasonLastAdministrator)
		leaves := doctor()
		leaves.Data.Login = map[string]string{a.Subject: "admin", b.Subject: "admin2"}[last.Subject]
		_, err = h.importAccounts(t.Context(), leaves)
		expect(t, err, errs.ReasonLastAdministrator)
	})
}

func TestAccountsAreFoundByNameLoginPlaceRoleAndState(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		admin := h.person(t, "admin", domain.CountyAdmin)
		h.person(t, "audit_or", domain.Auditor)
		made := h.made(t, admin, "lixm").View
		_, err := h.app.DisableAccount(t.Context(), admin, app.AccountWrite{ID: h.person(t, "leaver", domain.TownshipDoctor).Subject, Version: 1})
		if err != nil {
			t.Fatal(err)
		}
		for what, c := range map[string]struct {
			q    app.AccountSearch
			want []string
		}{
			"all": {app.AccountSearch{}, []string{"admin", "audit_or", "leaver", "lixm", "township"}}, "name": {app.AccountSearch{Text: "小明"}, []string{"lixm"}},
			"login": {app.AccountSearch{Text: "LI"}, []string{"lixm"}}, "a joker is a letter": {app.AccountSearch{Text: "d_t"}, nil}, "a joker in a name": {app.AccountSearch{Text: "%"}, nil},
			"an underscore": {app.AccountSearch{Text: "audit_"}, []string{"audit_or"}},
			"place":         {app.AccountSearch{OrganizationID: h.ids["H01"]}, []string{"lixm"}}, "role": {app.AccountSearch{Role: domain.TownshipDoctor}, []string{"leaver", "township"}},
			"new": {app.AccountSearch{State: app.StateNew}, []string{"lixm"}}, "gone": {app.AccountSearch{State: app.StateDisabled}, []string{"leaver"}},
			"active": {app.AccountSearch{State: app.StateActive, Role: domain.TownshipDoctor}, []string{"township"}},
		} {
			found, may, next, err := h.app.SearchAccounts(t.Context(), admin, c.q, app.Page{})
			var logins []string
			for _, one := range found {
				logins = append(logins, one.Account.Data().Login)
			}
			if err != nil || next != "" || !slices.Equal(logins, c.want) || len(may) != 8 {
				t.Errorf("%s: %v, %v", what, logins, err)
			}
		}
		first, _, next, err := h.app.SearchAccounts(t.Context(), admin, app.AccountSearch{}, app.Page{Size: 2})
		if err != nil || len(first) != 2 || !first[0].Own || first[1].Editable {
			t.Fatalf("%+v, %v", first, err)
		}
		if rest, _, end, err := h.app.SearchAccounts(t.Context(), admin, app.AccountSearch{}, app.Page{Token: next}); err != nil || len(rest) != 3 || end != "" || !rest[1].Editable {
			t.Errorf("%+v, %v", rest, err)
		}
		stranger := admin
		stranger.County = "450322"
		if found, _, _, err := h.app.SearchAccounts(t.Context(), stranger, app.AccountSearch{}, app.Page{}); err != nil || len(found) != 0 {
			t.Errorf("another county sees %d, %v", len(found), err)
		}
		_, err = h.app.GetAccount(t.Context(), stranger, "", made.Account.Data().ID)
		expect(t, err, errs.ReasonNotFound)
		_, err = h.app.AccountChanges(t.Context(), stranger, "", made.Account.Data().ID)
		expect(t, err, errs.ReasonNotFound)
	})
}

func TestAnAccountSaysAtWhichPostsThePersonStands(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		admin := h.person(t, "admin", domain.CountyAdmin)
		stands, relief := h.person(t, "stands", domain.TownshipDoctor), h.person(t, "relief", domain.TownshipDoctor)
		post := domain.Post{OrganizationID: h.ids["450321101"]}
		var week []domain.Shift
		for day := 1; day <= 7; day++ {
			week = append(week, domain.Shift{Weekday: day, From: "08:00", To: "08:00", AccountID: stands.Subject})
		}
		if _, err := h.app.SetRoster(t.Context(), admin, app.WeekChange{Post: post, Shifts: week}); err != nil {
			t.Fatal(err)
		}
		from := h.clk.Now().Add(time.Hour).Truncate(time.Minute)
		if _, err := h.app.HandOver(t.Context(), stands, app.DutyChange{Post: post, To: relief.Subject, Start: from, End: from.Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
		for _, who := range []authn.Identity{stands, relief} {
			got, err := h.app.GetAccount(t.Context(), admin, "", who.Subject)
			if err != nil || len(got.Posts) != 1 || got.Posts[0].OrganizationID != post.OrganizationID || got.Posts[0].Department != "" {
				t.Errorf("%+v, %v", got.Posts, err)
			}
		}
		h.clk.Advance(3 * time.Hour)
		if got, err := h.app.GetAccount(t.Context(), admin, "", relief.Subject); err != nil || len(got.Posts) != 0 {
			t.Errorf("after the hand-over: %+v, %v", got.Posts, err)
		}
	})
}

func TestAnAccountIsToldAllThatIsWrongAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		good := domain.AccountData{Login: "first", Name: "甲", OrganizationID: h.ids["H01"], Roles: []domain.Role{domain.IntakeDesk}}
		made, err := h.app.CreateAccount(t.Context(), cli(), app.AccountWrite{County: county, Data: good})
		if err != nil {
			t.Fatal(err)
		}
		bad := domain.AccountData{Login: "FIRST", Email: "none", DepartmentCode: "9999"}
		_, err = h.app.CreateAccount(t.Context(), cli(), app.AccountWrite{County: county, Data: bad})
		expectFields(t, err, "account.email", "account.login", "account.name", "account.organizationId", "account.roles")
		d := made.View.Account.Data()
		_, err = h.app.UpdateAccount(t.Context(), cli(), app.AccountWrite{County: county, ID: d.ID, Version: 1, Data: bad})
		expectFields(t, err, "account.email", "account.name", "account.organizationId", "account.roles")
	})
}
