package accounts

import (
	"net/http"
	"net/url"
	"slices"

	"golang.org/x/sync/errgroup"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// leaves is what is in somebody's name: what has to go to another person before the account is disabled, or after.
type leaves struct {
	Posts  []leaf
	Coming []coming
	// Referrals that are not ended, and patients who are followed up.
	Sent, Received, FollowedUp int
	// Unknown tells that some of it could not be read.
	Unknown bool
}

// leaf is a post with the page on which somebody else takes it; no address for who may not open it.
type leaf struct{ Name, Href string }

// coming are sessions of one template, or single ones, at one place.
type coming struct {
	leaf
	*schedulingv1.ComingPart
}

// Any tells that something is in the person's name, or may be.
func (l leaves) Any() bool {
	return l.Unknown || len(l.Posts)+len(l.Coming) > 0 || l.Open() > 0
}

// Open are the referrals and follow-ups.
func (l leaves) Open() int { return l.Sent + l.Received + l.FollowedUp }

// leavesOf asks every service what is in the name of an account.
func (p *Pages) leavesOf(r *http.Request, county *shell.County, one *directoryv1.AccountDetail) leaves {
	a := one.GetAccount()
	plans := slices.Contains(roles(r), commonv1.Role_COUNTY_ADMIN)
	var out leaves
	for _, post := range one.GetPosts() {
		at := leaf{Name: p.postName(r, county, post)}
		if plans {
			at.Href = "/rosters/post?" + url.Values{"organization": {post.GetOrganizationId()}, "department": {post.GetDepartmentCode()}, "leaves": {a.GetId()}}.Encode() + "#replace"
		}
		out.Posts = append(out.Posts, at)
	}
	var group errgroup.Group
	group.Go(func() error {
		open, err := p.Statistics.CountOpen(r.Context(), &referralv1.CountOpenRequest{OrganizationId: a.GetOrganizationId(), AccountId: a.GetId()})
		out.Sent, out.Received, out.FollowedUp = int(open.GetSent()), int(open.GetReceived()), int(open.GetFollowedUp())
		return err
	})
	group.Go(func() error {
		ids := []string{a.GetId()}
		if a.GetPractitionerId() != "" {
			ids = append(ids, a.GetPractitionerId())
		}
		found, err := p.Calendar.CountComing(r.Context(), &schedulingv1.CountComingRequest{PractitionerIds: ids, PractitionerName: a.GetName()})
		for _, part := range found.GetParts() {
			out.Coming = append(out.Coming, p.comingOf(r, county, part, plans))
		}
		return err
	})
	out.Unknown = group.Wait() != nil
	return out
}

func (p *Pages) comingOf(r *http.Request, county *shell.County, part *schedulingv1.ComingPart, plans bool) coming {
	language, organization := p.Shell.Language(r), part.GetOrganizationId()
	out := coming{ComingPart: part}
	out.Name = county.OrganizationName(language, organization) + " · " + county.DepartmentName(language, organization, part.GetDepartmentCode())
	where := url.Values{"organization": {organization}}
	switch {
	case !plans:
	case part.GetTemplateId() != "":
		out.Href = "/schedules/templates/" + url.PathEscape(part.GetTemplateId()) + "?" + where.Encode()
	default:
		where.Set("from", part.GetFirstDay())
		out.Href = "/sessions?" + where.Encode()
	}
	return out
}
