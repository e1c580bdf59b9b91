package shell

import (
	"slices"
	"strings"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
)

// navItem is one page of the rail.
type navItem struct {
	Name, Href string
	Active     bool
	Count      int32
	// Live counts are fetched again when something happens; Hidden is one that has none yet.
	Live, Hidden bool
	// Rest is not at hand on a phone, where the bar has room for five: it stands behind "more".
	Rest bool
}

// counts are the numbers in the rail.
type counts struct{ open, deferred, calls int32 }

// navFor is the rail of an account. Who receives and who sends stands first for each; both can do the other too.
func navFor(a *directoryv1.Account, active string, n counts) []navItem {
	var items []navItem
	add := func(name, page, href string) {
		items = append(items, navItem{Name: name, Href: href, Active: page == active})
	}
	workNav(a, add)
	works := IsCounty(a) || IsTownship(a)
	if !works {
		leadingNav(a, add) // who treats nobody begins with the figures
	}
	capacityNav(a, add)
	if n.deferred > 0 || active == "consents" {
		add("consents", "consents", "/consents")
		items[len(items)-1].Count = n.deferred
	}
	if works {
		leadingNav(a, add)
	}
	if works || has(a, commonv1.Role_COUNTY_ADMIN) {
		add("rosters", "rosters", "/rosters")
	}
	if has(a, commonv1.Role_INTAKE_DESK, commonv1.Role_CENTRE_HEAD, commonv1.Role_COUNTY_ADMIN) {
		add("downtime", "downtime", "/downtime")
	}
	if calls := MakesCalls(a); calls || IsTownship(a) {
		add("calls", "calls", "/calls")
		last := &items[len(items)-1]
		last.Count, last.Live, last.Hidden = n.calls, true, !calls && n.calls == 0 && !last.Active
	}
	if has(a, commonv1.Role_SYSTEM_ADMIN, commonv1.Role_INTAKE_DESK, commonv1.Role_CENTRE_HEAD) {
		add("feeds", "feeds", "/feeds")
	}
	if has(a, deliveryRoles()...) {
		add("deliveries", "deliveries", "/deliveries")
	}
	add("inbox", "inbox", "/inbox")
	items[len(items)-1].Count, items[len(items)-1].Live = n.open, true
	return atHand(items)
}

// workNav are the pages of those who treat patients.
func workNav(a *directoryv1.Account, add func(name, page, href string)) {
	county, township := IsCounty(a), IsTownship(a)
	if township && !county {
		add("home", "home", "/home")
	}
	if county {
		add("desk", "desk", "/desk")
		add("arrivals", "arrivals", "/desk/arrivals")
	}
	if has(a, commonv1.Role_SPECIALIST, commonv1.Role_DEPARTMENT_HEAD, commonv1.Role_INTAKE_DESK) {
		add("candidates", "candidates", "/candidates")
	}
	if IsVillage(a) {
		add("village", "village", "/village")
	}
	if township {
		add("patients", "patients", "/patients")
		add("referrals", "referrals", "/referrals")
	}
	switch {
	case county && !township:
		add("sent", "referrals", "/referrals")
	case township && !county && !IsVillage(a):
		// A village is sent nobody: who comes back to it stands on its own page.
		add("received", "desk", "/desk")
	}
	if township {
		add("followups", "followups", "/follow-ups")
	}
	if has(a, commonv1.Role_TOWNSHIP_DOCTOR, commonv1.Role_CENTRE_HEAD) {
		add("formulary", "formulary", "/settings/formulary")
	}
}

// atHand keeps four pages for the thumb, those of daily work first, and the messages, which stand last.
func atHand(items []navItem) []navItem {
	const daily = "home desk village followups arrivals patients overview candidates statistics settings accounts audit exports reviews"
	rank := func(i int) int {
		if at := slices.Index(strings.Fields(daily), items[i].Name); at >= 0 {
			return at
		}
		return len(daily) + i
	}
	order := make([]int, len(items)-1)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return rank(a) - rank(b) })
	for _, i := range order[min(4, len(order)):] {
		items[i].Rest = true
	}
	return items
}

// leadingNav are the pages of those who lead a place, and of those who look after the trail.
func leadingNav(a *directoryv1.Account, add func(name, page, href string)) {
	if seesFigures(a) {
		add("overview", "overview", "/overview")
		add("statistics", "statistics", "/statistics")
	}
	if has(a, commonv1.Role_COUNTY_ADMIN) {
		add("settings", "settings", "/settings/all")
	} else if has(a, commonv1.Role_SYSTEM_ADMIN) {
		add("accounts", "accounts", "/settings/accounts")
	}
	if has(a, commonv1.Role_AUDITOR, commonv1.Role_CENTRE_HEAD) {
		add("reviews", "reviews", "/reviews")
	}
	if has(a, commonv1.Role_AUDITOR) {
		add("audit", "audit", "/audit")
		add("exports", "exports", "/exports")
	}
}
