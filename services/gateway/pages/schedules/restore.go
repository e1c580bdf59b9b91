package schedules

import (
	"net/http"
	"slices"

	"google.golang.org/protobuf/proto"

	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// offer finds out what stands, puts the buttons, and shows what the chosen version would change.
func (p *Pages) offer(r *http.Request, data *historyData, templates []shell.Named) error {
	now, version, err := p.standing(r, data.Place, data.Subject)
	if err != nil {
		return err
	}
	data.Version = version
	switch {
	case data.Subject == "exceptions" && now.GetException() == nil: // it was removed: it is set anew
		data.Back = data.Place.At("/schedules/exceptions")
	case data.Subject == "sessions" && now.GetSession() == nil: // the plan took it back
		data.Back = data.Place.At("/sessions")
	}
	if !p.restores(r, data, now) {
		return nil
	}
	data.Final = !p.buttons(data.Rows, now.GetSession().GetState() == schedulingv1.SessionState_CANCELLED)
	i := slices.IndexFunc(data.Rows, func(c changeRow) bool { return c.GetId() == data.Chosen && c.Do == "restore" })
	if i < 0 {
		return nil
	}
	chosen := data.Rows[i].CalendarChange
	if chosen.GetPolicy().GetInherited() { // the numbers of then count for nothing: those of the county do
		whole, err := p.Calendar.GetBookingPolicy(r.Context(), &schedulingv1.GetBookingPolicyRequest{})
		if err != nil {
			return err
		}
		whole.Inherited = true
		chosen = &schedulingv1.CalendarChange{Id: chosen.GetId(), ChangeTime: chosen.GetChangeTime(), AccountName: chosen.GetAccountName(), Policy: whole}
	}
	if chosen.GetWard() != nil { // beds are added and closed, and not gone back to
		chosen = proto.CloneOf(chosen)
		chosen.Ward.Total = now.GetWard().GetTotal()
	}
	data.Would = &wouldData{chosen, shell.Differences(p.linesOf(r, data.Place, templates, now), p.linesOf(r, data.Place, templates, chosen))}
	return nil
}

// restores tells whether the visitor may go back, and there is something to go back from.
func (p *Pages) restores(r *http.Request, data *historyData, now *schedulingv1.CalendarChange) bool {
	switch data.Subject {
	case "exceptions":
		return data.Rows[0].GetException().GetOrganizationId() != "" || countyAdmin(r)
	case "sessions":
		return now.GetSession() != nil && p.Shell.Now().Before(now.GetSession().GetEnd().AsTime())
	case "policy":
		return countyAdmin(r)
	case "wards":
		visitor, _ := door.VisitorFrom(r.Context())
		return shell.KeepsWards(visitor.Account)
	}
	return true
}

// standing is what stands now, told as a change would tell it, with its version; an exception or session that is gone is told of with nothing.
func (p *Pages) standing(r *http.Request, place shell.Workplace, folder string) (*schedulingv1.CalendarChange, int32, error) {
	now := &schedulingv1.CalendarChange{}
	var err error
	switch folder {
	case "templates":
		now.Template, err = p.findTemplate(r, place.ID)
		return now, now.GetTemplate().GetVersion(), err
	case "exceptions":
		if now.Exception, err = p.findException(r, place.ID); errs.KindOf(err) == errs.KindNotFound {
			return &schedulingv1.CalendarChange{}, 0, nil
		}
		return now, now.GetException().GetVersion(), err
	case "equipment":
		now.Equipment, err = p.findDevice(r, place.ID)
		return now, now.GetEquipment().GetVersion(), err
	case "wards":
		now.Ward, err = p.findWard(r, place.ID)
		return now, now.GetWard().GetVersion(), err
	case "policy":
		now.Policy, err = p.ownPolicy(r, place.ID)
		return now, now.GetPolicy().GetVersion(), err
	}
	s, err := p.Calendar.GetSession(r.Context(), &schedulingv1.GetSessionRequest{Id: r.PathValue("id")})
	if errs.KindOf(err) == errs.KindNotFound {
		return now, 0, nil
	}
	now.Session = s.GetSession()
	return now, now.GetSession().GetVersion(), err
}

func (p *Pages) findWard(r *http.Request, organization string) (*schedulingv1.BoardWard, error) {
	board, err := p.Allocation.ListBoard(r.Context(), &schedulingv1.ListBoardRequest{OrganizationId: organization})
	if err != nil {
		return nil, err
	}
	for _, w := range board.GetWards() {
		if w.GetId() == r.PathValue("id") {
			return w, nil
		}
	}
	return nil, errs.NotFound("ward")
}

// ownPolicy is the county's, or the organisation's; of one that has none of its own the county's numbers, with version 0.
func (p *Pages) ownPolicy(r *http.Request, organization string) (*schedulingv1.BookingPolicy, error) {
	if r.PathValue("id") == countyPolicy {
		organization = ""
	}
	b, err := p.Calendar.GetBookingPolicy(r.Context(), &schedulingv1.GetBookingPolicyRequest{OrganizationId: organization})
	if organization != b.GetOrganizationId() && err == nil {
		b.Version, b.Inherited = 0, true
	}
	return b, err
}

// buttons are put to the rows; false for a cancelled session that cannot be opened again.
func (p *Pages) buttons(rows []changeRow, cancelled bool) bool {
	newest := slices.IndexFunc(rows, func(c changeRow) bool { return len(c.Slots) == 0 })
	undoable := newest >= 0 && rows[newest].GetCanBeUndone()
	if cancelled && !undoable {
		return false
	}
	undoes := ""
	for i := range rows {
		row := &rows[i]
		switch state := len(row.Slots) == 0; {
		case !state && cancelled:
		case !state && row.GetAction() == "BLOCKED":
			row.Do, row.Restore = "unblock", row.GetId()
		case !state:
			row.Do, row.Restore = "block", row.GetId()
		case i == newest && undoable:
			row.Do = "cancellation"
			if before := slices.IndexFunc(rows[i+1:], func(c changeRow) bool { return len(c.Slots) == 0 && c.GetAction() != "CANCELLED" }); before >= 0 {
				row.Restore = rows[i+1+before].GetId()
				undoes = row.Restore
			}
		case i == newest && row.GetAction() != "REMOVED":
			row.Stands = true
		case row.GetAction() != "REMOVED" && row.GetAction() != "CANCELLED" && row.GetId() != undoes:
			row.Do, row.Restore = "restore", row.GetId()
		}
	}
	return true
}

// restore does the opposite of a change, or writes an older version again. The version that stands is checked as for every change.
func (p *Pages) restore(w http.ResponseWriter, r *http.Request) error {
	if err := parse(r); err != nil {
		return err
	}
	place, err := p.Shell.Workplace(r)
	if err != nil {
		return err
	}
	subject, known := subjects()[r.PathValue("subject")]
	if !known {
		return errs.NotFound("subject")
	}
	list, err := p.Calendar.ListCalendarChanges(r.Context(), &schedulingv1.ListCalendarChangesRequest{OrganizationId: place.ID, Subject: subject, Id: r.PathValue("id")})
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list.GetChanges(), func(c *schedulingv1.CalendarChange) bool { return c.GetId() == r.PostFormValue("restore") })
	if i < 0 {
		return errs.NotFound("change")
	}
	done, err := p.writeAgain(r, list.GetChanges()[i])
	if err != nil {
		return p.Shell.Again(w, r, err, func(again shell.Refused) error {
			data := historyData{RequestID: again.RequestID, Problem: again.Problem, Chosen: r.PostFormValue("restore")}
			if e, ok := errs.As(err); ok && e.Kind == errs.KindWrongState && slices.Contains([]string{"REBOOKED", "PLAN_CHANGED", "PAST"}, e.Meta["state"]) {
				data.Problem = p.Shell.T(r, "schedules.history.no."+e.Meta["state"])
			}
			if data.Problem == "" {
				data.Problem = p.Shell.ErrorText(r, err)
			}
			return p.showHistory(w, r, again.Status, data)
		})
	}
	if done != nil && len(done.Conflicts) > 0 {
		return p.showHistory(w, r, http.StatusOK, historyData{RequestID: id.New(), Done: done})
	}
	p.Shell.Flash(w, "settings.restored")
	http.Redirect(w, r, place.At("/schedules/history/"+r.PathValue("subject")+"/"+r.PathValue("id")), http.StatusSeeOther)
	return nil
}

// writeAgain carries a restoring out.
func (p *Pages) writeAgain(r *http.Request, c *schedulingv1.CalendarChange) (*outcome, error) {
	seen, err := number(r, "version")
	if err != nil {
		return nil, err
	}
	ctx, request := r.Context(), r.PostFormValue("requestId")
	var ids []string
	for _, s := range c.GetSlots() {
		ids = append(ids, s.GetId())
	}
	switch {
	case c.GetTemplate() != nil:
		c.Template.Version = seen
		saved, err := p.Calendar.SaveTemplate(ctx, &schedulingv1.SaveTemplateRequest{Template: c.GetTemplate(), RequestId: request})
		return &outcome{Made: saved.GetMade(), Removed: saved.GetRemoved(), Conflicts: saved.GetConflicts()}, err
	case c.GetException() != nil:
		c.Exception.Version = seen
		saved, err := p.Calendar.SaveException(ctx, &schedulingv1.SaveExceptionRequest{Exception: c.GetException(), RequestId: request})
		return &outcome{Made: saved.GetMade(), Removed: saved.GetRemoved(), Conflicts: saved.GetConflicts()}, err
	case c.GetEquipment() != nil:
		c.Equipment.Version = seen
		_, err = p.Calendar.SaveEquipment(ctx, &schedulingv1.SaveEquipmentRequest{Equipment: c.GetEquipment(), RequestId: request})
	case c.GetWard() != nil:
		ward := c.GetWard()
		_, err = p.Allocation.SetWard(ctx, &schedulingv1.SetWardRequest{Id: ward.GetId(), Version: seen, Class: ward.GetClass(), Sex: ward.GetSex(),
			CleaningMinutes: ward.GetCleaningMinutes(), RequestId: request})
	case c.GetPolicy() != nil:
		c.Policy.Version = seen
		_, err = p.Calendar.SetBookingPolicy(ctx, &schedulingv1.SetBookingPolicyRequest{Policy: c.GetPolicy(), RequestId: request})
	case c.GetAction() == "BLOCKED":
		_, err = p.Calendar.UnblockSlots(ctx, &schedulingv1.UnblockSlotsRequest{SlotIds: ids, RequestId: request})
	case c.GetAction() == "UNBLOCKED":
		_, err = p.Calendar.BlockSlots(ctx, &schedulingv1.BlockSlotsRequest{SlotIds: ids, ReasonCode: c.GetSlots()[0].GetReasonCode(), RequestId: request})
	default:
		_, err = p.Calendar.RestoreSession(ctx, &schedulingv1.RestoreSessionRequest{Id: c.GetSubjectId(), Version: seen, ChangeId: c.GetId(), RequestId: request})
	}
	return nil, err
}
