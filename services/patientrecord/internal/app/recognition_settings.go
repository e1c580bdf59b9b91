package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// catalogue is what is shipped with what the county set over it, and what it added behind, by code.
func (r *Recognition) catalogue(set RecognitionSet) []domain.Item {
	out := make([]domain.Item, 0, len(r.Shipped)+len(set.Items))
	shipped := map[string]bool{}
	for _, item := range r.Shipped {
		shipped[item.Code] = true
		item.Version = set.Versions[item.Code]
		if own, ok := set.Items[item.Code]; ok {
			own.Source, own.Certainty, own.Shipped = item.Source, item.Certainty, true
			item = own
		}
		out = append(out, item)
	}
	var added []domain.Item
	for code, item := range set.Items {
		if !shipped[code] {
			added = append(added, item)
		}
	}
	slices.SortFunc(added, func(a, b domain.Item) int { return strings.Compare(a.Code, b.Code) })
	return append(out, added...)
}

func directions(set RecognitionSet) domain.Directions {
	if set.HasOwn {
		return set.Directions
	}
	shipped := domain.ShippedDirections()
	shipped.Version = set.Directions.Version
	return shipped
}

// ListedItem is an item of the catalogue as it is found.
type ListedItem struct {
	domain.Item
	// Changed: the county set it.
	Changed  bool
	Initials string
}

// Items of the county's catalogue that match words by code, name or the initials of the pinyin; all without words.
func (r *Recognition) Items(ctx context.Context, caller authn.Identity, words string, withDisabled bool) ([]ListedItem, error) {
	set, err := r.Store.RecognitionSet(ctx, caller.County)
	if err != nil {
		return nil, err
	}
	words = strings.ToLower(strings.Join(strings.Fields(words), ""))
	var out []ListedItem
	for _, item := range r.catalogue(set) {
		_, changed := set.Items[item.Code]
		listed := ListedItem{Item: item, Changed: changed, Initials: Initials(item.Name)}
		if item.Disabled && !withDisabled || !listed.matches(words) {
			continue
		}
		out = append(out, listed)
	}
	return out, nil
}

func (l ListedItem) matches(words string) bool {
	for _, text := range []string{l.Code, l.Name, strings.ReplaceAll(l.NameEn, " ", ""), l.Initials} {
		if strings.Contains(strings.ToLower(text), words) {
			return true
		}
	}
	return words == ""
}

// SetItem replaces an item of the county's catalogue, adds one, or (reset) puts back what is shipped. Errors: fields, NotFound for a reset of
// what is not there, STALE_VERSION, REQUEST_ID_REUSED.
func (r *Recognition) SetItem(ctx context.Context, cmd Command, item domain.Item, reset bool) (ListedItem, error) {
	change := RecognitionPut{Name: ItemSetting + item.Code, Version: item.Version}
	if reset {
		if ps := (domain.Item{Code: item.Code}).Check(); slices.ContainsFunc(ps, func(p domain.Problem) bool { return p.Field == "code" }) {
			return ListedItem{}, errs.Invalid(errs.Bad("item.code", errs.ReasonFieldInvalid))
		}
		set, err := r.Store.RecognitionSet(ctx, cmd.County)
		if err != nil {
			return ListedItem{}, err
		}
		// Of an older version it is stale, or a request that was carried out.
		if set.Versions[item.Code] == item.Version && !slices.ContainsFunc(r.catalogue(set), func(i domain.Item) bool { return i.Code == item.Code }) {
			return ListedItem{}, errs.NotFound("item")
		}
	} else {
		if ps := item.Check(); len(ps) > 0 {
			return ListedItem{}, refused(ps, "item.")
		}
		change.Item = &item
	}
	if err := r.Store.PutRecognition(ctx, cmd, change); err != nil {
		return ListedItem{}, err
	}
	set, err := r.Store.RecognitionSet(ctx, cmd.County)
	if err != nil {
		return ListedItem{}, err
	}
	for _, now := range r.catalogue(set) {
		if now.Code == item.Code {
			_, changed := set.Items[now.Code]
			return ListedItem{Item: now, Changed: changed, Initials: Initials(now.Name)}, nil
		}
	}
	// One that was the county's own is gone.
	return ListedItem{Item: domain.Item{Code: item.Code, Version: set.Versions[item.Code], Disabled: true}}, nil
}

// Directions of the county.
func (r *Recognition) Directions(ctx context.Context, caller authn.Identity) (domain.Directions, error) {
	set, err := r.Store.RecognitionSet(ctx, caller.County)
	return directions(set), err
}

// SetDirections replaces the county's directions. Errors: STALE_VERSION, REQUEST_ID_REUSED.
func (r *Recognition) SetDirections(ctx context.Context, cmd Command, d domain.Directions) (domain.Directions, error) {
	if err := r.Store.PutRecognition(ctx, cmd, RecognitionPut{Name: DirectionsSetting, Version: d.Version, Directions: &d}); err != nil {
		return domain.Directions{}, err
	}
	set, err := r.Store.RecognitionSet(ctx, cmd.County)
	return directions(set), err
}

// Changes of an item, or of the directions without a code, newest first.
func (r *Recognition) Changes(ctx context.Context, caller authn.Identity, code string) ([]RecognitionChange, error) {
	name := DirectionsSetting
	if code != "" {
		name = ItemSetting + code
	}
	return r.Store.RecognitionChanges(ctx, caller.County, name)
}

// PutOrganization keeps what a fact of directory says of an organisation.
func (r *Recognition) PutOrganization(ctx context.Context, factID string, o Organization) error {
	return r.Store.PutOrganization(ctx, factID, o)
}

// RefreshOrganizations reads all organisations of directory: once at the start, then facts keep them current.
func (r *Recognition) RefreshOrganizations(ctx context.Context, peer DirectoryPeer) error {
	all, err := peer.Organizations(ctx)
	if err != nil {
		return fmt.Errorf("read organisations: %w", err)
	}
	for _, o := range all {
		if err := r.Store.PutOrganization(ctx, "", o); err != nil {
			return err
		}
	}
	return nil
}
